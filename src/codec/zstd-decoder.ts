import { ZSTDDecoder } from 'zstddec';
import { SluiceError } from '../format/errors.ts';

/**
 * zstd in WebAssembly. In a module of its own, so that bundlers can load its 30 KB (gzipped) only where an image needs them.
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
    await initWithoutFetch(decoder);
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

/**
 * zstddec takes its WebAssembly from its own source by a `fetch` of a data: URL, which a Content-Security-Policy with
 * `connect-src 'self'` forbids although `'wasm-unsafe-eval'` would allow the module. It calls `fetch` synchronously within `init`, and
 * only there; so for the length of that call it gets one that decodes the URL itself.
 */
function initWithoutFetch(decoder: ZSTDDecoder): Promise<void> {
  const scope = globalThis as { fetch?: unknown };
  const { fetch } = scope;
  scope.fetch = async (url: string) => ({
    arrayBuffer: async () => decodeBase64(url.slice(url.indexOf(',') + 1)),
  });
  try {
    return decoder.init();
  } finally {
    scope.fetch = fetch;
  }
}

function decodeBase64(text: string): ArrayBuffer {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}
