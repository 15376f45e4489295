import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { seededRandom } from '../support/random.ts';
import { CrashDisk } from './crash-disk.ts';
import { checkReader, complete, facts, isRuntimeFact, mount, workload } from './workload.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const mutations = 20_000;
const slots = ['journal-a', 'journal-b'];

/**
 * The disk after `steps` steps of the workload, and what is present then. A journal that damage has cut may tell of the tree as it was
 * earlier: what was true of it before counts too.
 */
async function diskAfter(steps: number): Promise<{ files: Map<string, Bytes>; truth: Set<string> }> {
  const disk = new CrashDisk();
  const store = await mount(disk);
  const earlier = new Set<string>();
  for (const step of (await workload()).slice(0, steps)) {
    await step(store, new Set());
    for (const fact of await facts(store)) if (isRuntimeFact(fact)) earlier.add(fact);
  }
  await store.commit();
  const truth = new Set([...earlier, ...(await facts(store))]);
  await store.close();
  return { files: disk.after('flushed', 0), truth };
}

/** One to three damages: flipped bits, overwritten, cut out or doubled stretches, lost ends, swapped or emptied slots. */
function mutate(files: ReadonlyMap<string, Bytes>, random: () => number): Map<string, Bytes> {
  const mutant = new Map(files);
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let damages = 1 + below(3); damages > 0; damages--) {
    const slot = slots[below(2)]!;
    const bytes = mutant.get(slot)!.slice();
    const [start, end] = [below(bytes.length + 1), below(bytes.length + 1)].sort((a, b) => a - b) as [
      number,
      number,
    ];
    const stretch = bytes.slice(start, Math.min(end, start + 64));
    const kind = below(8);
    if (kind === 0) mutant.set(slot, bytes.slice(0, start));
    else if (kind === 1) mutant.set(slot, Uint8Array.from([...bytes.slice(0, start), ...bytes.slice(end)]));
    else if (kind === 2) {
      mutant.set(slot, Uint8Array.from([...bytes.slice(0, end), ...stretch, ...bytes.slice(end)]));
    } else if (kind === 3) mutant.set(slot, Uint8Array.from([...bytes, ...stretch]));
    else if (kind === 4 && below(4) === 0) {
      mutant.set(slots[0]!, files.get(slots[1]!)!);
      mutant.set(slots[1]!, files.get(slots[0]!)!);
    } else if (kind === 5) mutant.set(slot, bytes.fill(below(256), start, Math.min(end, start + 16)));
    else if (bytes.length > 0) {
      bytes[below(bytes.length)]! ^= 1 << below(8);
      mutant.set(slot, bytes);
    }
  }
  return mutant;
}

test(`${mutations} damaged journals: each mounts or is refused by a code, and none invents a block`, async () => {
  test.setTimeout(300_000);
  const random = seededRandom(77);
  const total = (await workload()).length;
  const disks = [];
  for (const part of [0.05, 0.3, 0.5, 0.62, 0.8, 1]) disks.push(await diskAfter(Math.round(total * part)));
  const outcomes = { whole: 0, part: 0, nothing: 0, refused: 0 };
  for (let i = 0; i < mutations; i++) {
    const { files, truth } = disks[i % disks.length]!;
    const mutant = mutate(files, random);
    const disk = new CrashDisk(mutant);
    try {
      // Every present block is read and compared with what was published; `truth` is the twin that never was damaged.
      if (i % 20 === 0) await checkReader(disk);
      const store = await mount(disk);
      const found = await facts(store);
      const invented = [...found].filter((fact) => !truth.has(fact));
      if (invented.length > 0) throw new Error(`mutation ${i} invented ${invented.join(', ')}`);
      outcomes[found.size === 0 ? 'nothing' : found.size < truth.size ? 'part' : 'whole'] += 1;
      // And it can be lived with.
      if (i % 20 === 0) await complete(store, disk);
      await store.close();
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      expect(['store-too-new', 'corrupt-store', 'unreadable'], `mutation ${i}`).toContain(error.code);
      outcomes.refused += 1;
    }
  }
  // The damages reached everything: kept wholly (in the empty slot), in part, and lost.
  expect(outcomes.whole).toBeGreaterThan(100);
  expect(outcomes.part).toBeGreaterThan(1000);
  expect(outcomes.nothing).toBeGreaterThan(100);
});
