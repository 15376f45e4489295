import { expect, test } from '@playwright/test';
import { makeWire } from '../../src/extension/wire.ts';
import { noise, seededRandom } from '../support/random.ts';

const wire = makeWire();
const carried = (value: unknown): unknown => wire.fromLine(wire.toLine(value));

test('what messages are made of comes back as it was', () => {
  const message = {
    type: 'result',
    id: 7,
    missing: undefined,
    list: [undefined, null, true, 'ü\u2028\u{1f600}\ud83d\n', -0, Number.NaN, -Infinity, 2 ** 53, 1e-300],
    $: { $: 'undefined' },
    [Symbol.iterator.description!]: [],
    bytes: noise(1, 100_003).subarray(1, 100_001),
    words: new Uint32Array(noise(2, 80).buffer, 4, 7),
    buffer: noise(3, 33).slice().buffer,
    empty: new Uint8Array(0),
  };
  expect(carried(message)).toStrictEqual(message);
  expect(Object.is((carried([-0]) as number[])[0], -0)).toBe(true);
  expect(carried(undefined)).toBe(undefined);
});

test('a field of any name is a field of the message’s own, and nothing else', () => {
  const message = JSON.parse(
    '{"__proto__": {"polluted": 1}, "constructor": 2, "$": "Uint8Array", "toJSON": 3}',
  );
  const back = carried(message) as object;
  expect(Object.entries(back)).toEqual(Object.entries(message));
  expect(Object.getPrototypeOf(back)).toBe(Object.prototype);
});

test('messages made at random come back as they were', () => {
  const random = seededRandom(6);
  const below = (end: number): number => Math.floor(random() * end);
  const names = ['$', 'value', '__proto__', 'a', '', '\n', 'undefined'];
  const text = (): string => String.fromCharCode(...Array.from({ length: below(9) }, () => below(0x10000)));
  const leaves: (() => unknown)[] = [
    () => undefined,
    () => null,
    () => random() < 0.5,
    () => below(1000) - 500,
    () => [Number.NaN, Infinity, -Infinity, -0, random()][below(5)],
    text,
    () => names[below(names.length)],
    () => noise(below(1000), below(50)),
    () => new Uint32Array(noise(below(1000), 4 * below(9)).slice().buffer),
    () => noise(below(1000), below(50)).slice().buffer,
  ];
  const make = (depth: number): unknown => {
    if (depth === 0 || random() < 0.3) return leaves[below(leaves.length)]!();
    if (random() < 0.5) return Array.from({ length: below(6) }, () => make(depth - 1));
    return Object.fromEntries(
      Array.from({ length: below(6) }, () => [names[below(names.length)]!, make(depth - 1)]),
    );
  };
  const messages = Array.from({ length: 1000 }, () => make(5));
  expect(messages.map(carried)).toStrictEqual(messages);
});

test('what cannot be carried is refused, not bent', () => {
  for (const value of [
    new Map(),
    new Date(0),
    () => 1,
    Symbol('s'),
    1n,
    /x/,
    new Float64Array(1),
    new Error('e'),
  ]) {
    expect(() => wire.toLine({ value }), String(value)).toThrow(TypeError);
  }
  expect(() => wire.fromLine('{"$":"Map","value":[]}')).toThrow(TypeError);
});

test('lines come whole, once and in order over calls that are lost, and answers that are lost', () => {
  const random = seededRandom(7);
  const lines: string[] = [];
  const sender = wire.newSender();
  const receiver = wire.newReceiver((line) => lines.push(wire.fromLine(line) as string));
  const sent: string[] = [];
  let lost = 0;
  while (sent.length < 300 || sender.waiting > 0) {
    if (sent.length < 300) {
      const text = `${sent.length} ${'\u{1f600}x'.repeat(random() < 0.03 ? 200_000 : random() * 20)}`;
      sent.push(text);
      sender.push(wire.toLine(text));
    }
    const taken = sender.take(300_000);
    lost += 1;
    if (random() < 0.3) continue; // The call was.
    receiver.receive(structuredClone(taken));
    if (random() < 0.3) continue; // Its answer was.
    lost -= 1;
    sender.acknowledge(receiver.received);
  }
  expect(lost).toBeGreaterThan(30);
  expect(lines.map((line) => line.length)).toEqual(sent.map((line) => line.length));
  expect(lines.every((line, i) => line === sent[i])).toBe(true);
  expect(sender.take(1)).toEqual({ first: receiver.received, pieces: [] });
});

test('a gap between pieces is no message', () => {
  const receiver = wire.newReceiver(() => {});
  expect(() => receiver.receive({ first: 1, pieces: ['"x"\n'] })).toThrow(TypeError);
});
