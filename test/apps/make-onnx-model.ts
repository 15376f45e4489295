// Just enough of protobuf to write an ONNX model by hand; field numbers are those of onnx.proto.

type Field = readonly [number: number, value: number | string | Uint8Array];

const FLOAT = 1;

/** The model y = x × W + B, with x of shape [1, 3], W of shape [3, 2] and B of shape [2]. */
export function makeOnnxModel(): Uint8Array {
  const graph = message(
    [1, node('MatMul', ['x', 'W'], 'product')],
    [1, node('Add', ['product', 'B'], 'y')],
    [2, 'linear'],
    [5, tensor('W', [3, 2], [1, 2, 3, 4, 5, 6])],
    [5, tensor('B', [2], [0.5, -0.5])],
    [11, valueInfo('x', [1, 3])],
    [12, valueInfo('y', [1, 2])],
  );
  const opset = message([1, ''], [2, 13]);
  return message([1, 8], [2, 'sluice test'], [7, graph], [8, opset]);
}

function node(operator: string, inputs: readonly string[], output: string): Uint8Array {
  return message(...inputs.map((input): Field => [1, input]), [2, output], [3, output], [4, operator]);
}

function tensor(name: string, dims: readonly number[], values: readonly number[]): Uint8Array {
  const raw = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    raw.writeFloatLE(value, i * 4);
  });
  return message(...dims.map((dim): Field => [1, dim]), [2, FLOAT], [8, name], [9, raw]);
}

function valueInfo(name: string, dims: readonly number[]): Uint8Array {
  const shape = message(...dims.map((dim): Field => [1, message([1, dim])]));
  return message([1, name], [2, message([1, message([1, FLOAT], [2, shape])])]);
}

/** Numbers are varints; strings, bytes and messages are length-delimited. */
function message(...fields: readonly Field[]): Uint8Array {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return [varint(number * 8), varint(value)];
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    return [varint(number * 8 + 2), varint(bytes.length), bytes];
  });
  return Buffer.concat(parts);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}
