import { expect, test } from '@playwright/test';
import type { LocalService } from '../../src/loader/local-service.ts';
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
