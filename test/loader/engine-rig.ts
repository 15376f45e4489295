import { expect } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { Image } from '../../src/image/image.ts';
import { Engine, type EngineEvent } from '../../src/loader/engine.ts';
import { FileReader } from '../../src/loader/file-reader.ts';
import { LocalBlocks, type LocalBlocksOptions } from '../../src/loader/local-blocks.ts';
import type { Mount } from '../../src/loader/mount.ts';
import { zstdInNode } from '../../src/pack/zstd-in-node.ts';
import type { BlockSource } from '../../src/protocol/block-source.ts';
import { type Clock, systemClock } from '../../src/protocol/clock.ts';
import { HttpSource } from '../../src/source/http-source.ts';
import { BlockStore } from '../../src/store/block-store.ts';
import type { Directory } from '../../src/store/directory.ts';
import { MemoryDirectory } from '../../src/store/memory-directory.ts';
import { Origin } from '../support/origin.ts';
import { seededRandom } from '../support/random.ts';
import { tempDir } from '../support/temp-dir.ts';
import type { Fixture } from './site-fixture.ts';

/** An engine over a real server and a store in memory, and what it told. */
export interface EngineRig {
  readonly origin: Origin;
  readonly engine: Engine;
  readonly mount: Mount;
  readonly files: FileReader;
  readonly local: LocalBlocks;
  readonly events: EngineEvent[];
  /** Resolves with the first event of the type, also one that was. */
  readonly event: (type: EngineEvent['type']) => Promise<EngineEvent>;
  readonly store: BlockStore;
  read(name: string, start?: number, end?: number, timeoutMs?: number): Promise<Uint8Array<ArrayBuffer>>;
}

export interface EngineRigOptions {
  readonly ranges?: boolean;
  readonly stallMs?: number;
  readonly directory?: Directory;
  readonly local?: Partial<LocalBlocksOptions>;
  readonly clock?: Clock;
  /** Lies over the server. */
  readonly source?: (http: BlockSource) => BlockSource;
  /** Called at once, when whoever was woken has not gone on yet. */
  readonly onEvent?: (event: EngineEvent) => void;
}

export async function withEngine(
  site: Fixture,
  run: (rig: EngineRig) => Promise<void>,
  options: EngineRigOptions = {},
): Promise<void> {
  const dir = await tempDir('engine');
  await site.write(dir.path);
  const origin = await Origin.start({ mounts: { '/app/': dir.path }, ranges: options.ranges ?? true });
  const store = await BlockStore.open(options.directory ?? new MemoryDirectory());
  const clock = options.clock ?? systemClock;
  const local = new LocalBlocks(store, {
    clock,
    onFull: (reason) => engine.report(reason),
    onUnreadable: (reason) => engine.report(reason),
    onLost: (sha256, blocks) => engine.dropped(sha256, blocks),
    ...options.local,
  });
  const events: EngineEvent[] = [];
  const listeners = new Set<(event: EngineEvent) => void>();
  const http = new HttpSource({ base: `${origin.url}/app/`, fetch, stallMs: options.stallMs ?? 10_000 });
  const engine: Engine = new Engine({
    source: options.source?.(http) ?? http,
    local,
    clock,
    random: seededRandom(7),
    onEvent: (event) => {
      events.push(event);
      for (const listener of listeners) listener(event);
      options.onEvent?.(event);
    },
  });
  const mount = engine.mount(await Image.open(site.bootstrap, { sha256: site.image }));
  const files = new FileReader(engine, mount, zstdInNode);
  try {
    await run({
      origin,
      engine,
      mount,
      files,
      local,
      events,
      event: (type) => {
        const known = events.find((event) => event.type === type);
        if (known) return Promise.resolve(known);
        return new Promise((resolve) => {
          const listener = (event: EngineEvent): void => {
            if (event.type !== type) return;
            listeners.delete(listener);
            resolve(event);
          };
          listeners.add(listener);
        });
      },
      store,
      read: (name, start = 0, end = Number.MAX_SAFE_INTEGER, timeoutMs = 10_000) =>
        files.read(name, start, end, timeoutMs),
    });
  } finally {
    await engine.close();
    await local.close();
    await origin.stop();
    await dir.remove();
  }
}

/** The error that the work ends with, which must be one of ours. */
export async function failure(work: Promise<unknown>): Promise<SluiceError> {
  const error = await work.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SluiceError);
  return error as SluiceError;
}

/** How often each byte of each .bin file was asked for by the ranges in the server's log. */
export function askedBytes(
  origin: Origin,
  site: Fixture,
): { readonly total: number; readonly twice: number } {
  let total = 0;
  let twice = 0;
  for (const { record } of site.blobs) {
    const counts = new Uint8Array(record.length);
    for (const { range } of origin.requests((entry) => entry.path.endsWith(`${record.sha256}.bin`))) {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? `bytes=0-${record.length - 1}`) ?? [];
      for (let at = Number(first); at <= Number(last); at++) counts[at] = counts[at]! + 1;
    }
    for (const count of counts) {
      total += count;
      twice += Math.max(0, count - 1);
    }
  }
  return { total, twice };
}
