import { expect, test } from '@playwright/test';
import type { LocalService } from '../../src/loader/local-service.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { blobFile } from '../contracts/blob-file.ts';
import { startLeader } from './leader.ts';
import { ManualClock } from './manual-clock.ts';
import { type Fixture, makeSite } from './site-fixture.ts';

const kB = 1024;
const scope = 'https://app.test/';

/** A server that counts which bytes of which blob were asked for. */
function server(site: Fixture): { readonly fetch: typeof fetch; readonly asked: string[] } {
  const asked: string[] = [];
  const answer = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const name = new URL(String(input)).pathname.slice(1, -'.bin'.length);
    const published = [
      { sha256: site.image, bytes: site.bootstrap },
      ...site.blobs.map(({ record, bytes }) => ({ sha256: record.sha256, bytes })),
    ].find(({ sha256 }) => sha256 === name);
    if (!published) return new Response(null, { status: 404 });
    const { bytes } = published;
    const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init?.headers).get('range') ?? '');
    if (!range) return new Response(bytes, { headers: { 'Content-Length': `${bytes.length}` } });
    const [start, end] = [Number(range[1]), Number(range[2]) + 1];
    asked.push(`${start}-${end}`);
    return new Response(bytes.slice(start, end), {
      status: 206,
      headers: {
        'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}`,
        'Content-Length': `${end - start}`,
      },
    });
  };
  return { fetch: answer as typeof fetch, asked };
}

/** What a process that was killed leaves behind: every byte that it wrote, flushed or not. */
async function leftBehind(directory: MemoryDirectory): Promise<MemoryDirectory> {
  const copy = new MemoryDirectory();
  const folders = ['images', 'blobs'];
  const inFolders = await Promise.all(
    folders.map(async (folder) => (await directory.list(folder)).map((name) => `${folder}/${name}`)),
  );
  for (const path of ['journal-a', 'journal-b', ...inFolders.flat()]) {
    const bytes = await directory.snapshot(path);
    if (!bytes) continue;
    const file = await copy.open(path, { create: true });
    file.write(new Uint8Array(await bytes.arrayBuffer()), 0);
    file.close();
  }
  return copy;
}

/** Block 0 is journaled, block 1 only written, when the leader is killed. */
async function killed(site: Fixture): Promise<MemoryDirectory> {
  const directory = new MemoryDirectory();
  const { fetch } = server(site);
  // No timer comes, so nothing is committed but what is flushed.
  const leader = await startLeader({ directory, scope, fetch, clock: new ManualClock() });
  await open(leader, site);
  await read(leader, site, 0);
  await leader.flush();
  await read(leader, site, 1);
  return leftBehind(directory);
}

function open(leader: LocalService, { image, bootstrap }: Fixture): Promise<unknown> {
  return leader.open({ loader: 'tab', release: { image, bytes: bootstrap.length }, background: false });
}

async function read(leader: LocalService, site: Fixture, block: number): Promise<Uint8Array | undefined> {
  let bytes: Uint8Array | undefined;
  const query = { image: site.image, path: 'a.bin', blob: 0, first: block, count: 1, timeoutMs: 5000 };
  await leader.readBlocks(
    query,
    (_block, stored) => {
      bytes = stored.bytes;
    },
    new AbortController().signal,
  );
  return bytes;
}

test('what a killed leader had written and not journaled is not fetched again', async () => {
  const site = await makeSite([{ name: 'a.bin', size: 256 * kB, shift: 16 }], 1024 * kB);
  const { fetch, asked } = server(site);
  const next = await startLeader({ directory: await killed(site), scope, fetch });
  await open(next, site);
  expect((await next.state(site.image)).blocks).toEqual({ total: 4, present: 2 });
  const content = site.files.get('a.bin')!;
  for (const block of [0, 1])
    expect(await read(next, site, block)).toEqual(content.slice(block * 64 * kB, (block + 1) * 64 * kB));
  expect(asked).toEqual([]);
  await read(next, site, 2);
  expect(asked.length).toBe(1);
  await next.close();
});

test('a blob that was begun just before the kill is not fetched again either, whether its table was journaled or nothing of it', async () => {
  const site = await makeSite([{ name: 'a.bin', size: 256 * kB, shift: 16 }], 1024 * kB);
  const { record, bytes } = site.blobs[0]!;
  for (const journaled of ['table', 'nothing']) {
    const directory = new MemoryDirectory();
    const store = await BlockStore.open(directory);
    await store.addImage(site.image, site.bootstrap);
    if (journaled === 'nothing') await store.commit();
    store.blob(record);
    await store.writeTable(record.sha256, bytes.slice(0, record.tableLength));
    if (journaled === 'table') await store.commit();
    const at = record.tableLength;
    await store.writeBlock(record.sha256, 0, at, bytes.slice(at, at + 64 * kB));

    const { fetch, asked } = server(site);
    const next = await startLeader({ directory: await leftBehind(directory), scope, fetch });
    await open(next, site);
    expect((await next.state(site.image)).blocks, journaled).toEqual({ total: 4, present: 1 });
    expect(await read(next, site, 0)).toEqual(site.files.get('a.bin')!.slice(0, 64 * kB));
    expect(asked).toEqual([]);
    expect(await read(next, site, 3)).toEqual(site.files.get('a.bin')!.slice(192 * kB));
    await next.close();
  }
});

test('a file that was begun goes where it holds nothing of use: another image’s blob, or wrong bytes', async () => {
  const [site, other] = await Promise.all(
    [1, 2].map((seed) => makeSite([{ name: 'a.bin', size: 256 * kB, shift: 16 }], 1024 * kB, seed)),
  );
  const directory = new MemoryDirectory();
  const store = await BlockStore.open(directory);
  await store.addImage(site!.image, site!.bootstrap);
  await store.commit();
  for (const { blobs } of [site!, other!]) {
    const { record, bytes } = blobs[0]!;
    const { sha256, tableLength } = record;
    store.blob(record);
    await store.writeTable(sha256, bytes.slice(0, tableLength));
    const block = bytes.slice(tableLength, tableLength + 64 * kB);
    await store.writeBlock(sha256, 0, tableLength, block);
  }
  const left = await leftBehind(directory);
  const { sha256 } = site!.blobs[0]!.record;
  const file = await left.open(await blobFile(left, sha256));
  file.write(Uint8Array.of(1, 2, 3), 10);
  file.close();
  const { fetch, asked } = server(site!);
  const next = await startLeader({ directory: left, scope, fetch });
  await open(next, site!);
  expect((await next.state(site!.image)).blocks.present).toBe(0);
  expect(await left.list('blobs')).toEqual([]);
  expect(await read(next, site!, 0)).toEqual(site!.files.get('a.bin')!.slice(0, 64 * kB));
  expect(asked.length).toBeGreaterThan(0);
  await next.close();
});

test('what was only being written, or is not the published bytes, is fetched', async () => {
  const site = await makeSite([{ name: 'a.bin', size: 256 * kB, shift: 16 }], 1024 * kB);
  const directory = await killed(site);
  const { record } = site.blobs[0]!;
  const file = await directory.open(await blobFile(directory, record.sha256));
  file.write(Uint8Array.of(1, 2, 3), record.tableLength + 64 * kB + 1000);
  file.close();
  const { fetch, asked } = server(site);
  const next = await startLeader({ directory, scope, fetch });
  await open(next, site);
  expect((await next.state(site.image)).blocks.present).toBe(1);
  expect(await read(next, site, 1)).toEqual(site.files.get('a.bin')!.slice(64 * kB, 128 * kB));
  expect(asked.length).toBe(1);
  await next.close();
});
