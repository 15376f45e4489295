import { ZSTDDecoder } from 'zstddec';
import { SluiceError } from '../format/errors.ts';

/**
 * zstd in WebAssembly. In a module of its own, so that bundlers can load its 30 KB (gzipped) only where an image needs them.
 * zstddec takes the WebAssembly from its own source by a `fetch` of a data: URL, which a policy of `connect-src 'self'` forbids: the
 * build replaces that (vite.config.ts).
 */

export type ZstdDecode = (stored: Uint8Array, logicalLength: number) => Uint8Array<ArrayBuffer> | undefined;

let loading: Promise<ZstdDecode> | undefined;

/**
 * The decoder, once its module is compiled: one zstd frame to at most `logicalLength` bytes, undefined where it does not come to
 * exactly that. Throws `no-wasm` where the page's policy forbids WebAssembly.
 */
export function loadZstd(): Promise<ZstdDecode> {
  loading ??= compile();
  return loading;
}

async function compile(): Promise<ZstdDecode> {
  const decoder = new ZSTDDecoder();
  try {
    await decoder.init();
  } catch (cause) {
    throw new SluiceError('no-wasm', 'the zstd decoder could not be started', { cause });
  }
  return (stored, logicalLength) => {
    let logical: Uint8Array;
    try {
      logical = decoder.decode(stored, logicalLength);
    } catch {
      // A trap of the WebAssembly module: it has met input that is no zstd frame.
      return undefined;
    }
    // zstd's own errors come as an empty result.
    return logical.length === logicalLength ? (logical as Uint8Array<ArrayBuffer>) : undefined;
  };
}
