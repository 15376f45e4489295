import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Image } from '../src/image/image.ts';
import { ReverseMap } from '../src/image/reverse-map.ts';
import { manyCount, somePaths } from './huge-image.ts';
import { summarize } from './statistics.ts';

/** Takes down one measured value. */
export type Note = (label: string, value: number) => void;

const lookups = 10_000;

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;

/** What a loader and a service worker do with a bootstrap, without network and disk. */
export async function measureTree(bootstrap: Uint8Array<ArrayBuffer>, note: Note): Promise<void> {
  const paths = somePaths(lookups);
  let began = performance.now();
  const image = await Image.open(bootstrap);
  note('Node: open (digest, inflate), ms', performance.now() - began);
  began = performance.now();
  const first = image.lookup('d77/f77777');
  note('Node: first lookup, ms', performance.now() - began);
  if (first === undefined) throw new Error('the image is not what it should be');
  const times = paths.map((path) => {
    const at = performance.now();
    const inode = image.lookup(path);
    const took = performance.now() - at;
    if (inode === undefined) throw new Error(`${path} is not there`);
    return took;
  });
  note('Node: lookup, µs', 1000 * summarize(times).median);
  began = performance.now();
  const count = [...image.readdir(image.lookup('many')!)].length;
  note('Node: readdir of 10,000 entries, ms', performance.now() - began);
  if (count !== manyCount) throw new Error(`${count} entries`);
  began = performance.now();
  ReverseMap.of(image);
  note('Node: reverse map built, ms', performance.now() - began);
}

/** Bytes on the heap and beside it that an open image keeps alive after it has been used. */
export async function heldByMount(bootstrap: Uint8Array<ArrayBuffer>): Promise<number> {
  const before = await held();
  const image = await Image.open(bootstrap);
  image.lookup('d77/f77777');
  const bytes = (await held()) - before;
  image.lookup('index.html'); // Alive until here.
  return bytes;
}

/** The same of a reverse map, beside its image. */
export async function heldByReverseMap(bootstrap: Uint8Array<ArrayBuffer>): Promise<number> {
  const image = await Image.open(bootstrap);
  const before = await held();
  const map = ReverseMap.of(image);
  const bytes = (await held()) - before;
  map.hurtPaths(0, 0, 1);
  return bytes;
}

async function held(): Promise<number> {
  // Buffers are given back by a task of their own.
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
