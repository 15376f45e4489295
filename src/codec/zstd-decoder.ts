import { SluiceError } from '../format/errors.ts';
import { hex, sha256 } from '../format/sha256.ts';
import { zstdWasmFile, zstdWasmSha256 } from './zstd-wasm.ts';

/** One zstd frame to exactly `logicalLength` bytes, in a buffer of their own; undefined where it does not come to that. */
export type ZstdDecode = (stored: Uint8Array, logicalLength: number) => Uint8Array<ArrayBuffer> | undefined;

/** Where a decoder comes from when the first block needs one: each runtime has its own place. */
export type StartZstd = () => Promise<ZstdDecode>;

/** What of the module's exports is used; Emscripten made them of zstd's C functions. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(size: number): number;
  free(at: number): void;
  ZSTD_decompress(to: number, capacity: number, from: number, length: number): number;
}

/** The only part of the platform's WebAssembly that is used; `codec` is compiled without a platform's types. */
declare const WebAssembly: {
  instantiate(
    wasm: Uint8Array<ArrayBuffer>,
    imports: object,
  ): Promise<{ readonly instance: { readonly exports: unknown } }>;
};

/**
 * Starts the decoder out of the bytes of `zstd.wasm`, whoever brought them. Throws `integrity` where they are others, `no-wasm` where the page's
 * policy, or the engine, forbids WebAssembly.
 */
export async function startZstd(wasm: Uint8Array<ArrayBuffer>): Promise<ZstdDecode> {
  if (hex(await sha256(wasm)) !== zstdWasmSha256) {
    throw new SluiceError('integrity', `${zstdWasmFile} is not the decoder that belongs to this build`);
  }
  try {
    // Its views of the memory are made anew when it has grown, so nobody needs to be told.
    const env = { emscripten_notify_memory_growth: () => {} };
    const { instance } = await WebAssembly.instantiate(wasm, { env });
    return decoderOf(instance.exports as Exports);
  } catch (cause) {
    throw new SluiceError('no-wasm', 'the zstd decoder could not be started', { cause });
  }
}

/** The module's memory is used over and over: two buffers, each as long as the longest block so far. */
function decoderOf(zstd: Exports): ZstdDecode {
  const [from, to] = [growing(zstd), growing(zstd)];
  return (stored, logicalLength) => {
    try {
      const input = from(stored.length);
      const output = to(logicalLength);
      if (input === 0 || output === 0) return undefined;
      new Uint8Array(zstd.memory.buffer).set(stored, input);
      // zstd's own errors are lengths that no block has.
      if (zstd.ZSTD_decompress(output, logicalLength, input, stored.length) !== logicalLength)
        return undefined;
      return new Uint8Array(zstd.memory.buffer.slice(output, output + logicalLength));
    } catch {
      // A trap of the WebAssembly module: it has met input that is no zstd frame.
      return undefined;
    }
  };
}

/** The address of a buffer of at least `length` bytes; 0 = there is no memory for it. */
function growing({ malloc, free }: Exports): (length: number) => number {
  let at = 0;
  let capacity = 0;
  return (length) => {
    if (at === 0 || length > capacity) {
      free(at);
      at = malloc(length);
      capacity = length;
    }
    return at;
  };
}
