import { readdirSync } from 'node:fs';
import { cp, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobRecord } from '../../src/format/blob-record.ts';
import { BlockTable } from '../../src/format/block-table.ts';
import { Image } from '../../src/image/image.ts';
import type { ServiceEvent } from '../../src/loader/loader-service.ts';
import type { LocalService } from '../../src/loader/local-service.ts';
import type { ReleaseRecord } from '../../src/protocol/messages.ts';
import type { Directory } from '../../src/store/directory.ts';
import { theOne } from '../contracts/blob-file.ts';
import { NodeDirectory } from '../contracts/node-directory.ts';
import { Origin } from '../support/origin.ts';
import { tempDir } from '../support/temp-dir.ts';
import { startLeader } from './leader.ts';
import type { MemoryCaches } from './memory-caches.ts';
import type { Fixture } from './site-fixture.ts';

/** A leader's service over a real directory, which a test may damage, and a real server. */
export interface ScrubRig {
  readonly origin: Origin;
  /** The store's folder. */
  readonly folder: string;
  readonly release: ReleaseRecord;
  /** What the services told, since the last was started. */
  readonly events: ServiceEvent[];
  /** A leader that is closed with the rig. Only one at a time may have the folder. */
  start(directory?: Directory, caches?: MemoryCaches): Promise<LocalService>;
  /** Resolves when the image is whole and nothing is under way. */
  complete(service: LocalService, image?: string): Promise<void>;
  /** A store's folder as it is now, elsewhere: what a device that dies leaves behind. */
  copy(from: string): Promise<string>;
  path(record: Pick<BlobRecord, 'sha256'>): string;
  /** Writes into a stored file, whoever has it open. */
  scribble(record: Pick<BlobRecord, 'sha256'>, at: number, bytes: Uint8Array): Promise<void>;
}

export async function withScrubRig(site: Fixture, run: (rig: ScrubRig) => Promise<void>): Promise<void> {
  const dir = await tempDir('scrub');
  const folder = join(dir.path, 'store');
  const published = await tempDir('scrub-site');
  await site.write(published.path);
  const origin = await Origin.start({ mounts: { '/app/': published.path } });
  const services: LocalService[] = [];
  const events: ServiceEvent[] = [];
  const path: ScrubRig['path'] = ({ sha256 }) => {
    const blobs = join(folder, 'blobs');
    return theOne(
      readdirSync(blobs).map((name) => join(blobs, name)),
      sha256,
    );
  };
  let copies = 0;
  const release = { image: site.image, bytes: site.bootstrap.length };
  try {
    await run({
      origin,
      folder,
      release,
      events,
      path,
      start: async (directory = new NodeDirectory(folder), caches?) => {
        events.length = 0;
        const service = await startLeader({
          scope: `${origin.url}/app/`,
          directory,
          caches,
          onEvent: (event) => events.push(event),
        });
        services.push(service);
        return service;
      },
      complete: async (service, image = site.image) => {
        for (;;) {
          if ((await service.state(image)).complete) break;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        await service.flush();
      },
      copy: async (from) => {
        const to = join(dir.path, `copy-${copies++}`);
        await cp(from, to, { recursive: true });
        return to;
      },
      scribble: async (record, at, bytes) => {
        const file = await open(path(record), 'r+');
        await file.write(bytes, 0, bytes.length, at);
        await file.close();
      },
    });
  } finally {
    for (const service of services) await service.close();
    await origin.stop();
    await published.remove();
    await dir.remove();
  }
}

/** Every block of the site's blobs, with the names of the files that have bytes in it, found by walking their extents. */
export async function blockPaths(site: Fixture): Promise<Map<string, string[][]>> {
  const image = await Image.open(site.bootstrap);
  const paths = new Map(
    site.blobs.map(({ record }) => [
      record.sha256,
      Array.from({ length: record.blockCount }, (): string[] => []),
    ]),
  );
  for (const { inode, path } of image.files()) {
    for (const span of image.mapRange(inode, 0, Number.MAX_SAFE_INTEGER)) {
      paths.get(image.blob(span.blob).sha256)![span.block]!.push(path);
    }
  }
  return paths;
}

export interface Damage {
  readonly blob: string;
  readonly block: number;
}

/** What of the blob's file is not as it was published: its table (-1), or else the blocks. */
export async function damageOf(site: Fixture, index: number, path: string): Promise<Damage[]> {
  const { record, bytes } = site.blobs[index]!;
  const table = await BlockTable.open(bytes.slice(0, record.tableLength), record);
  const found = await readFile(path);
  const isBad = (start: number, end: number): boolean =>
    Buffer.compare(found.subarray(start, end), bytes.subarray(start, end)) !== 0;
  if (isBad(0, record.tableLength)) return [{ blob: record.sha256, block: -1 }];
  return Array.from({ length: record.blockCount }, (_, block) => block)
    .filter((block) => isBad(table.stored(block).start, table.stored(block).end))
    .map((block) => ({ blob: record.sha256, block }));
}

/** A few of the ways in which a disk spoils a file. `others`: files that may take its place. */
export async function spoil(path: string, others: readonly string[], random: () => number): Promise<void> {
  const bytes = await readFile(path);
  const at = Math.floor(random() * bytes.length);
  const kind = Math.floor(random() * 6);
  if (kind === 0) bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8));
  else if (kind === 1) bytes.fill(0, at, Math.min(bytes.length, at + Math.floor(random() * 100_000)));
  else if (kind === 2) return writeFile(path, bytes.subarray(0, at));
  else if (kind === 3) return writeFile(path, await readFile(others[Math.floor(random() * others.length)]!));
  else if (kind === 4) bytes.copyWithin(at, 0, 4096);
  else for (let i = 0; i < 20; i++) bytes[Math.floor(random() * bytes.length)]! ^= 0x40;
  await writeFile(path, bytes);
}
