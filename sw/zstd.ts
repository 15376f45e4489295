import { startZstd, type ZstdDecode } from '../src/codec/zstd-decoder.ts';
import { zstdWasmFile, zstdWasmSha256 } from '../src/codec/zstd-wasm.ts';
import { isCode } from '../src/format/errors.ts';
import { systemClock } from '../src/protocol/clock.ts';
import { fetchVerified } from '../src/source/fetch-verified.ts';
import { runtimeFolder } from './route.ts';
import type { RuntimeFiles } from './runtime-files.ts';

/**
 * The zstd decoder, for images that need one: kept beside the other runtime files, fetched where it is not. Whatever fails, the next one who asks
 * tries again.
 */
export class Zstd {
  readonly #url: string;
  readonly #files: Pick<RuntimeFiles, 'kept' | 'keep'>;
  readonly #fetch: typeof fetch;
  #started: Promise<ZstdDecode> | undefined;

  constructor(scope: string, files: Pick<RuntimeFiles, 'kept' | 'keep'>, fetchFile: typeof fetch) {
    this.#url = `${scope}${runtimeFolder}${zstdWasmFile}`;
    this.#files = files;
    this.#fetch = fetchFile;
  }

  /** Throws as fetchVerified does, or `no-wasm`. */
  readonly start = (): Promise<ZstdDecode> => {
    this.#started ??= this.#start().catch((error: unknown) => {
      this.#started = undefined;
      throw error;
    });
    return this.#started;
  };

  /** Sees to it that the next start needs no network. Does not run it, which a page's policy may forbid. Throws as fetchVerified does. */
  async keep(): Promise<void> {
    if (!(await this.#files.kept(zstdWasmFile))) await this.#bring();
  }

  async #start(): Promise<ZstdDecode> {
    const kept = await this.#files.kept(zstdWasmFile);
    if (kept) {
      try {
        return await startZstd(new Uint8Array(await kept.arrayBuffer()));
      } catch (error) {
        if (isCode(error, 'no-wasm')) throw error;
        console.warn('sluice: the zstd decoder was not kept well', error);
      }
    }
    return startZstd(await this.#bring());
  }

  async #bring(): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = await fetchVerified(
      { url: this.#url, sha256: zstdWasmSha256 },
      { fetch: this.#fetch, clock: systemClock, random: Math.random },
    );
    const headers = { 'Content-Type': 'application/wasm' };
    // Not waited for: keeping it is for the next time.
    void this.#files.keep(zstdWasmFile, new Response(bytes.slice(), { headers }));
    return bytes;
  }
}
