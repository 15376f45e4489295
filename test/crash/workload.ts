import { BlockStore } from '../../src/store/block-store.ts';
import type { Directory } from '../../src/store/directory.ts';
import { StoreReader } from '../../src/store/store-reader.ts';
import { same } from '../contracts/contract.ts';
import {
  blockOf,
  type PublishedBlob,
  publishedBlob,
  publishedImage,
  tableOf,
} from '../contracts/published.ts';
import { seededRandom } from '../support/random.ts';

/** Small limits, so that a short workload compacts, evicts handles, and seals. */
const limits = { minCompaction: 250, maxOpenFiles: 2 };

interface Things {
  readonly images: readonly { id: string; bytes: Uint8Array<ArrayBuffer> }[];
  readonly blobs: readonly PublishedBlob[];
}

let things: Promise<Things> | undefined;

function published(): Promise<Things> {
  things ??= Promise.all([
    Promise.all([publishedImage(50, 300), publishedImage(51, 90)]),
    Promise.all([publishedBlob(52, 9, 60), publishedBlob(53, 40, 30), publishedBlob(54, 0)]),
  ]).then(([images, blobs]) => ({ images, blobs }));
  return things;
}

type Step = (store: BlockStore, durable: Set<string>) => Promise<void>;

/**
 * A life of a store: an image and its blobs come in, in pieces; the image is replaced by another one that shares one of the
 * blobs; the dropped blob comes again. `durable` gathers what must survive a crash from then on: `image <id>`,
 * `table <blob>`, `block <blob> <n>`.
 */
export async function workload(): Promise<readonly Step[]> {
  const { images, blobs } = await published();
  const random = seededRandom(55);
  const shuffled = (blob: number): (readonly [number, number])[] =>
    [...blobs[blob]!.blocks.keys()]
      .map((block) => ({ block, rank: random() }))
      .sort((a, b) => a.rank - b.rank)
      .map(({ block }) => [blob, block] as const);
  const declare: Step = async (store) => {
    for (const blob of blobs) store.blob(blob.description);
  };
  const block =
    ([blob, index]: readonly [number, number]): Step =>
    (store) =>
      writeBlock(store, blobs[blob]!, index);
  const table =
    (blob: number): Step =>
    (store) =>
      store.writeTable(blobs[blob]!.description.sha256, tableOf(blobs[blob]!));
  const image =
    (index: number): Step =>
    (store) =>
      store.addImage(images[index]!.id, images[index]!.bytes);
  const commit: Step = async (store, durable) => {
    await store.commit();
    for (const fact of await facts(store)) durable.add(fact);
  };
  const replaceImage: Step = async (store, durable) => {
    const [old, dropped] = [images[0]!.id, blobs[0]!.description.sha256];
    // While it runs, what it takes away may be there or not.
    for (const fact of [...durable]) if (fact.includes(old) || fact.includes(dropped)) durable.delete(fact);
    await store.removeImage(old, new Set(blobs.slice(1).map((blob) => blob.description.sha256)));
  };
  const withCommits = (steps: readonly Step[], every: number): Step[] =>
    steps.flatMap((step, i) => (i % every === every - 1 ? [step, commit] : [step]));

  const first = shuffled(0).map(block);
  const second = shuffled(1).map(block);
  return [
    image(0),
    declare,
    commit,
    table(0),
    ...withCommits(
      first.flatMap((step, i) => [step, second[i]!]),
      3,
    ),
    table(2),
    commit,
    image(1),
    commit,
    replaceImage,
    declare,
    ...withCommits([...shuffled(0).map(block), table(1), ...second, table(0)], 2),
    commit,
    commit,
  ];
}

async function writeBlock(store: BlockStore, blob: PublishedBlob, index: number): Promise<void> {
  await store.writeBlock(blob.description.sha256, index, blob.blocks[index]!.start, blockOf(blob, index));
}

/** Opens the store with the workload's limits. */
export function mount(directory: Directory): Promise<BlockStore> {
  return BlockStore.open(directory, limits);
}

/** What the store says is present. Every bit of it is read, and compared with what was published. */
export async function facts(store: BlockStore): Promise<Set<string>> {
  const { images, blobs } = await published();
  const found = new Set<string>();
  for (const { id, bytes } of images) {
    if (!store.hasImage(id)) continue;
    same(await store.readImage(id), bytes, `image ${id}`);
    found.add(`image ${id}`);
  }
  for (const blob of blobs) {
    const { sha256 } = blob.description;
    const presence = store.blob(blob.description);
    if (presence.hasTable) {
      same(await store.readTable(sha256), tableOf(blob), `table ${sha256}`);
      found.add(`table ${sha256}`);
    }
    for (const [block, { start, end }] of blob.blocks.entries()) {
      if (!presence.has(block)) continue;
      const bytes = await store.readBlock(sha256, block, start, end - start);
      same(bytes, blockOf(blob, block), `block ${sha256} ${block}`);
      found.add(`block ${sha256} ${block}`);
    }
    same(presence.sealed && !presence.complete, false, 'sealed implies complete');
  }
  return found;
}

/** The same through a reader: what it says is present is right, or cannot be had. */
export async function checkReader(directory: Directory): Promise<void> {
  const { images, blobs } = await published();
  const reader = await StoreReader.open(directory);
  const right = (bytes: Uint8Array | undefined, expected: Uint8Array, what: string): void => {
    if (bytes !== undefined) same(bytes, expected, `reader: ${what}`);
  };
  for (const { id, bytes } of images) right(await reader.image(id), bytes, `image ${id}`);
  for (const blob of blobs) {
    const { sha256, tableLength } = blob.description;
    if (reader.hasTable(sha256))
      right(await reader.read(sha256, 0, tableLength), tableOf(blob), `table ${sha256}`);
    for (const [block, { start, end }] of blob.blocks.entries()) {
      if (!reader.has(sha256, block)) continue;
      right(await reader.read(sha256, start, end), blockOf(blob, block), `block ${sha256} ${block}`);
    }
    if (reader.sealed(sha256)) {
      const whole = await reader.slice(sha256, 0, blob.bytes.length);
      if (whole) right(new Uint8Array(await whole.arrayBuffer()), blob.bytes, `sealed ${sha256}`);
    }
  }
}

/** Brings in everything, and compares the files with the published ones. */
export async function complete(store: BlockStore, directory: Directory): Promise<void> {
  const { images, blobs } = await published();
  for (const { id, bytes } of images) await store.addImage(id, bytes);
  for (const blob of blobs) {
    store.blob(blob.description);
    await store.writeTable(blob.description.sha256, tableOf(blob));
    for (const block of blob.blocks.keys()) await writeBlock(store, blob, block);
  }
  await store.commit();
  for (const blob of blobs) {
    const { sha256 } = blob.description;
    same(store.blob(blob.description).sealed, true, `sealed ${sha256}`);
    const file = await directory.snapshot(`blobs/${sha256}.bin`);
    same(new Uint8Array(await file!.arrayBuffer()), blob.bytes, `file ${sha256}`);
  }
}
