import { type StartZstd, startZstd, type ZstdDecode } from '../codec/zstd-decoder.ts';
import { zstdWasmFile, zstdWasmSha256 } from '../codec/zstd-wasm.ts';
import { type FetchVerifiedOptions, fetchVerified } from '../source/fetch-verified.ts';

/**
 * The site's zstd decoder, for pages that read an image by themselves: fetched with the first block that needs it, and again by the next one
 * where that failed. Throws as fetchVerified and startZstd do.
 */
export function zstdOfSite(scope: string, options: FetchVerifiedOptions): StartZstd {
  const file = { url: `${scope}__sluice/${zstdWasmFile}`, sha256: zstdWasmSha256 };
  let started: Promise<ZstdDecode> | undefined;
  return () => {
    started ??= fetchVerified(file, options)
      .then(startZstd)
      .catch((error: unknown) => {
        started = undefined;
        throw error;
      });
    return started;
  };
}
