import { sha256 } from '../../src/format/sha256.ts';
import type { TreeChange } from '../../src/overlay/change.ts';
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
import { noise, seededRandom } from '../support/random.ts';

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

/** The image whose tree is changed, by digest; the store need not have its bootstrap. */
const app = 'ab'.repeat(32);
const none = new Uint8Array(0);
const blockSize = 4096;

/** Files made at run time, with private blobs of two blocks. */
const files = [100, 101].map((inode) => ({
  inode,
  blob: (inode * 7).toString(16).padStart(64, '0'),
  bytes: noise(inode, blockSize + 100),
}));

function localBlock(file: number, block: number): Uint8Array<ArrayBuffer> {
  return files[file]!.bytes.slice(block * blockSize, (block + 1) * blockSize);
}

type Step = (store: BlockStore, durable: Set<string>) => Promise<void>;

/**
 * A life of a store: an image and its blobs come in, in pieces; the image is replaced by another one that does without one of the
 * blobs; both come again; bad blocks are dropped and come again; a blob is evicted and comes again. Meanwhile names and files are made, linked and
 * removed at run time. `durable` gathers what must survive a crash from then on: `image <id>`,
 * `table <blob>`, `block <blob> <n>`, `name <parent> <name> <inode>`, `removed <parent> <name>`, `pinned <blob>`.
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
    await store.evict([dropped]);
    await store.removeImages([old]);
  };
  const change =
    (...changes: readonly TreeChange[]): Step =>
    async (store, durable) => {
      for (const each of changes) {
        if (each.type !== 'unlink') continue;
        const prefix = `name ${each.parent} ${each.name} `;
        const [name] = [...durable].filter((fact) => fact.startsWith(prefix));
        if (name === undefined) continue;
        durable.delete(name);
        const file = files.find(({ inode }) => name === `${prefix}${inode}`);
        if (file !== undefined)
          for (const fact of [...durable]) if (fact.includes(file.blob)) durable.delete(fact);
      }
      // Made once, also if it is tried again.
      const overlay = store.overlay(app);
      await store.change(
        app,
        changes.filter((each) => overlay.allows(each)),
      );
      for (const fact of names(store)) durable.add(fact);
    };
  const create = (file: number, name: string): TreeChange => {
    const { inode, blob, bytes } = files[file]!;
    const node = { kind: 'file', size: bytes.length, blockSize, blob, mime: 'text/x', meta: none } as const;
    return { type: 'create', inode, parent: 99, name, node };
  };
  const local =
    (file: number, index: number): Step =>
    async (store) => {
      const bytes = localBlock(file, index);
      await store.writeLocalBlock(files[file]!.blob, index, bytes, await sha256(bytes));
    };
  const mayGo =
    (
      text: (blob: string) => string,
      index: number,
      action: (store: BlockStore, blob: string) => Promise<void>,
    ): Step =>
    async (store, durable) => {
      const { sha256 } = blobs[index]!.description;
      for (const fact of [...durable]) if (fact.includes(text(sha256))) durable.delete(fact);
      await action(store, sha256);
    };
  const pin: Step = async (store, durable) => {
    const { sha256 } = blobs[2]!.description;
    await store.pin([sha256]);
    durable.add(`pinned ${sha256}`);
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
    ...withCommits([...shuffled(0).map(block), image(0), table(1), ...second, table(0)], 2),
    commit,
    commit,
    change(
      { type: 'create', inode: 99, parent: 0, name: 'd', node: { kind: 'directory', meta: none } },
      create(0, 'f'),
    ),
    local(0, 1),
    change(
      { type: 'unlink', parent: 0, name: 'published' },
      { type: 'link', inode: 3, parent: 99, name: 'p' },
    ),
    local(0, 0),
    commit,
    change(create(1, 'g')),
    local(1, 0),
    commit,
    change({ type: 'set-meta', inode: 3, meta: Uint8Array.of(1, 2, 3) }),
    pin,
    mayGo(
      (blob) => `block ${blob} 3`,
      1,
      (store, blob) => store.dropBlocks(blob, [3]),
    ),
    block([1, 3]),
    commit,
    mayGo(
      (blob) => blob,
      1,
      (store, blob) => store.evict([blob]),
    ),
    declare,
    ...withCommits(second.slice(0, 4), 2),
    change({ type: 'unlink', parent: 99, name: 'g' }),
    commit,
  ];
}

/** Whether a fact is about a name or a file made at run time. */
export function isRuntimeFact(fact: string): boolean {
  return fact.startsWith('name ') || files.some(({ blob }) => fact.includes(blob));
}

/** What was made durable of the tree's changes. */
function names(store: BlockStore): string[] {
  const overlay = store.overlay(app);
  const found = overlay.removed(0, 'published') ? ['removed 0 published'] : [];
  for (const parent of [0, 99]) {
    for (const [name, { inode }] of overlay.names(parent)) found.push(`name ${parent} ${name} ${inode}`);
  }
  return found;
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
    if (store.pinned(sha256)) found.add(`pinned ${sha256}`);
  }
  for (const fact of names(store)) found.add(fact);
  for (const [file, { inode, blob }] of files.entries()) {
    if (store.overlay(app).node(inode) === undefined) continue;
    for (const block of [0, 1]) {
      const digest = store.localDigest(blob, block);
      if (digest === undefined) continue;
      const expected = localBlock(file, block);
      same(digest, await sha256(expected), `digest ${inode} ${block}`);
      const bytes = await store.readBlock(blob, block, block * blockSize, expected.length);
      same(bytes, expected, `private block ${inode} ${block}`);
      found.add(`block ${blob} ${block}`);
    }
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
  for (const [file, { blob }] of files.entries()) {
    for (const block of [0, 1]) {
      if (!reader.has(blob, block)) continue;
      const expected = localBlock(file, block);
      const start = block * blockSize;
      right(
        await reader.read(blob, start, start + expected.length),
        expected,
        `private block ${file} ${block}`,
      );
    }
  }
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
    // Of those that failures may have left until the next mount, the one that the store calls its own.
    const own = store.files().find((file) => file.kind === 'blob' && file.description.sha256 === sha256)!;
    const file = await directory.snapshot(own.name);
    same(new Uint8Array(await file!.arrayBuffer()), blob.bytes, `file ${sha256}`);
  }
}
