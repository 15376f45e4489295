import { expect, test } from '@playwright/test';
import type { BlobRecord } from '../../src/format/blob-record.ts';
import type { FileTree } from '../../src/image/file-tree.ts';
import type { BringRequest } from '../../sw/block-reader.ts';
import type { LoaderPort } from '../../sw/loader-ports.ts';
import { Relay } from '../../sw/relay.ts';

const mib = 1024 * 1024;

/** Requests that end when the test says so, of an image of which the blocks in `here` are present. */
function fixture({
  blobs,
  launchSet,
  here = [],
}: {
  /** Of blocks of 128 KiB each. */
  readonly blobs: readonly number[];
  readonly launchSet?: FileTree['launchSet'];
  readonly here?: readonly (readonly [blob: number, block: number])[];
}) {
  const records = blobs.map(
    (blockCount, i) =>
      ({ sha256: `${i}`, length: blockCount * 128 * 1024, tableLength: 0, blockCount }) as BlobRecord,
  );
  const image = {
    blobCount: blobs.length,
    hasBlob: () => true,
    blob: (i: number) => records[i]!,
    launchSet,
  } as Partial<FileTree> as FileTree;
  const present = new Set(here.map(([blob, block]) => `${blob}/${block}`));
  const isHere = ({ sha256 }: BlobRecord, block: number): boolean => present.has(`${sha256}/${block}`);
  const requests: { readonly asked: string; end(): void }[] = [];
  const ports: { best: LoaderPort | undefined } = { best: undefined };
  const relay = new Relay({
    ports,
    local: async () => ({
      has: isHere,
      isSealed: (record) =>
        Array.from({ length: record.blockCount }, (_, i) => i).every((i) => isHere(record, i)),
    }),
    reader: {
      bring: ({ blob, first, count }: BringRequest) =>
        new Promise((resolve) => {
          requests.push({ asked: `${blob}: ${first}+${count}`, end: resolve });
        }),
    },
  });
  const asked = () => requests.map((request) => request.asked);
  /** Ends requests as they come, until there are so many. */
  const upTo = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await expect.poll(() => requests.length, { intervals: [1] }).toBeGreaterThan(i);
      requests[i]!.end();
    }
  };
  return { relay, image, ports, asked, requests, upTo, loader: { role: 'leader' } as LoaderPort };
}

test('what is missing comes in order, two requests at a time, over the ends of blobs', async () => {
  const { relay, image, asked, requests, upTo } = fixture({ blobs: [3, 4], here: [[0, 0]] });
  relay.launched(image);
  const done = relay.goOn();
  await expect.poll(asked, { intervals: [1] }).toEqual(['0: 1+2', '1: 0+2']);
  requests[1]!.end();
  await expect.poll(asked, { intervals: [1] }).toEqual(['0: 1+2', '1: 0+2', '1: 2+2']);
  await upTo(3);
  await done;
  expect(asked()).toHaveLength(3);
});

test('it ends where the launch ends, and without a launch set after eight megabytes', async () => {
  const traced = fixture({ blobs: [4, 8], launchSet: { blob: 1, block: 3, bytes: 7 * 128 * 1024 } });
  traced.relay.launched(traced.image);
  const done = traced.relay.goOn();
  await traced.upTo(4);
  await done;
  expect(traced.asked()).toEqual(['0: 0+2', '0: 2+2', '1: 0+2', '1: 2+1']);

  const untraced = fixture({ blobs: [40, 60, 10] });
  untraced.relay.launched(untraced.image);
  const ended = untraced.relay.goOn();
  await untraced.upTo(32);
  await ended;
  expect(untraced.asked().at(-1)).toBe('1: 22+2');
  expect(untraced.asked()).toHaveLength((8 * mib) / (256 * 1024));
});

test('a loader that comes is left the rest; one that goes is stood in for', async () => {
  const { relay, image, asked, requests, ports, loader } = fixture({ blobs: [20] });
  ports.best = loader;
  relay.launched(image);
  await relay.goOn();
  expect(asked()).toEqual([]);
  ports.best = { role: 'standby' } as LoaderPort;
  const done = relay.goOn();
  await expect.poll(asked, { intervals: [1] }).toHaveLength(2);
  ports.best = loader;
  for (const request of requests) request.end();
  await done;
  expect(asked()).toHaveLength(2);
});

test('where nothing is launched, nothing is fetched', async () => {
  const { relay, asked } = fixture({ blobs: [20] });
  await relay.goOn();
  expect(asked()).toEqual([]);
});
