import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startZstd, type ZstdDecode } from '../codec/zstd-decoder.ts';
import { zstdWasmFile } from '../codec/zstd-wasm.ts';
import { SluiceError } from '../format/errors.ts';
import { defaultDirectory } from './runtime-files.ts';

let starting: Promise<ZstdDecode> | undefined;

/** The decoder that browsers get, out of the package's own files. Throws `no-runtime` where the package was not built. */
export function zstdInNode(): Promise<ZstdDecode> {
  starting ??= start(join(defaultDirectory(), '__sluice', zstdWasmFile));
  return starting;
}

async function start(path: string): Promise<ZstdDecode> {
  let wasm: Uint8Array<ArrayBuffer>;
  try {
    wasm = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new SluiceError('no-runtime', `${path} is not there`, { path, cause });
  }
  return startZstd(wasm);
}
