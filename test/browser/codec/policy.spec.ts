import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'vite';
import { blockEncoder } from '../../../src/codec/encode-block.ts';
import { expect, test } from '../../support/browser.ts';
import { Origin } from '../../support/origin.ts';
import { tempDir } from '../../support/temp-dir.ts';
import type { CodecCall, CodecReply } from './codec-worker.ts';

/** A file of this folder as one classic script. */
async function bundle(file: string): Promise<string> {
  const entry = join(import.meta.dirname, file);
  const lib = { entry, formats: ['iife' as const], name: 'codec' };
  const [result] = [
    await build({ configFile: false, logLevel: 'warn', build: { write: false, lib } }),
  ].flat();
  if (result === undefined || !('output' in result)) throw new Error(`nothing was built from ${file}`);
  return result.output[0].code;
}

const logical = new TextEncoder().encode('all work and no play '.repeat(100));

for (const [name, policy, expected] of [
  [
    'zstd runs under a policy of self and WebAssembly alone',
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
    'zstd',
  ],
  ['without WebAssembly zstd says so, and lz4 works', "default-src 'self'", 'lz4'],
] as const) {
  test(name, async ({ page }) => {
    const dir = await tempDir('codec');
    await writeFile(join(dir.path, 'index.html'), '<!doctype html><title>codec</title>');
    await writeFile(join(dir.path, 'worker.js'), await bundle('codec-worker.ts'));
    await mkdir(join(dir.path, '__sluice'));
    await copyFile(
      new URL('../../../dist/runtime/__sluice/zstd.wasm', import.meta.url),
      join(dir.path, '__sluice/zstd.wasm'),
    );
    const headers = (): Record<string, string> => ({ 'Content-Security-Policy': policy });
    const origin = await Origin.start({ mounts: { '/': dir.path }, headers });
    try {
      await page.goto(origin.url);
      const golden = await readFile(new URL('../../golden/tiny-deflated.hex', import.meta.url), 'utf8');
      const bootstrap = [...Buffer.from(golden.replaceAll('\n', ''), 'hex')];
      const call = async (codec: 'zstd' | 'lz4'): Promise<CodecReply> => {
        const block = (await blockEncoder(codec, 3))(logical);
        const request: CodecCall = {
          codec: block.codec,
          stored: [...block.stored],
          length: logical.length,
          bootstrap,
        };
        return page.evaluate(
          (request) =>
            new Promise<CodecReply>((resolve, reject) => {
              const worker = new Worker('worker.js');
              worker.onmessage = ({ data }) => resolve(data);
              worker.onerror = ({ message }) => reject(new Error(message));
              worker.postMessage(request);
            }),
          request,
        );
      };
      const paths = ['a.js', 'größe/data.bin', 'index.html', 'nothing'];
      const zstd = expected === 'zstd' ? [...logical] : 'no-wasm';
      expect(await call('zstd')).toEqual({ decoded: zstd, paths });
      expect(await call('lz4')).toEqual({ decoded: [...logical], paths });
    } finally {
      await origin.stop();
      await dir.remove();
    }
  });
}
