import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { blockEncoder } from '../../src/codec/encode-block.ts';
import { Zstd } from '../../sw/zstd.ts';
import type { FaultHook } from '../support/origin.ts';
import { Origin } from '../support/origin.ts';

const runtime = fileURLToPath(new URL('../../dist/runtime/', import.meta.url));
const wasmFile = `${runtime}__sluice/zstd.wasm`;
const logical = new TextEncoder().encode('all work and no play '.repeat(100));

/** What is kept, as Cache Storage keeps it, and how often it was asked of the server. */
async function withZstd(
  kept: Uint8Array<ArrayBuffer> | undefined,
  fault: FaultHook | undefined,
  run: (zstd: Zstd, kept: () => Uint8Array | undefined, requests: () => number) => Promise<void>,
): Promise<void> {
  const origin = await Origin.start({ mounts: { '/': runtime }, ...(fault === undefined ? {} : { fault }) });
  let held = kept;
  const files = {
    kept: async () => held && new Response(held.slice()),
    keep: async (_name: string, response: Response) => {
      held = new Uint8Array(await response.arrayBuffer());
    },
  };
  try {
    await run(
      new Zstd(`${origin.url}/`, files, fetch),
      () => held,
      () => origin.requests().length,
    );
  } finally {
    await origin.stop();
  }
}

async function works(zstd: Zstd): Promise<void> {
  const { stored } = (await blockEncoder('zstd', 3))(logical);
  expect((await zstd.start())(stored, logical.length)).toEqual(logical);
}

test('fetched once however many ask, and kept', async () => {
  const wasm = new Uint8Array(await readFile(wasmFile));
  await withZstd(undefined, undefined, async (zstd, kept, requests) => {
    await Promise.all([works(zstd), works(zstd)]);
    expect(requests()).toBe(1);
    await expect.poll(kept).toEqual(wasm);
  });
});

test('what is kept needs no server; what is kept spoilt is fetched again', async () => {
  const wasm = new Uint8Array(await readFile(wasmFile));
  await withZstd(wasm, undefined, async (zstd, _kept, requests) => {
    await zstd.keep();
    await works(zstd);
    expect(requests()).toBe(0);
  });
  await withZstd(wasm.slice(0, 30_000), undefined, async (zstd, kept, requests) => {
    await works(zstd);
    expect(requests()).toBe(1);
    await expect.poll(kept).toEqual(wasm);
  });
});

test('a failed start has its code, and the next read starts anew', async () => {
  let missing = true;
  const fault: FaultHook = () => (missing ? { type: 'status', status: 404 } : undefined);
  await withZstd(undefined, fault, async (zstd) => {
    await expect(zstd.start()).rejects.toMatchObject({ code: 'bad-origin' });
    await expect(zstd.keep()).rejects.toMatchObject({ code: 'bad-origin' });
    missing = false;
    await works(zstd);
  });
});
