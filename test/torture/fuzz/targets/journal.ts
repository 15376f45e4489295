import { crc32 } from '../../../../src/format/crc32.ts';
import {
  checksumSize,
  decodeGeneration,
  encodeHeader,
  encodeRecords,
  headerLayout,
  type JournalRecord,
  replay,
} from '../../../../src/store/journal.ts';
import { StoreState } from '../../../../src/store/store-state.ts';
import { WriterState } from '../../../../src/store/writer-state.ts';
import { fuzzTarget, must, outcomeOf, shown } from '../fuzz-target.ts';
import { joined, type Mutator } from '../mutator.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const digest = (n: number): string => n.toString(16).padStart(64, '0');
const image = digest(1);
const meta = Uint8Array.of(1, 2, 3);
const file = { kind: 'file', size: 9000, blockSize: 4096, blob: digest(7), mime: 'a/b', meta } as const;

const records: JournalRecord[] = [
  { type: 'image', sha256: image, length: 500 },
  { type: 'blob', sha256: digest(2), length: 90_000, tableLength: 416, blockCount: 10, incarnation: 3 },
  { type: 'blob', sha256: digest(3), length: 50_000, tableLength: 136, blockCount: 3, incarnation: 7 },
  { type: 'local-blob', sha256: digest(7), length: 9000, blockSize: 4096 },
  { type: 'snapshot-end' },
  { type: 'session-begin' },
  { type: 'table', blob: 0 },
  { type: 'present', blob: 0, first: 2, count: 5 },
  { type: 'present', blob: 1, first: 0, count: 3 },
  { type: 'sealed', blob: 1 },
  {
    type: 'change',
    image,
    change: { type: 'create', inode: 9, parent: 0, name: 'd', node: { kind: 'directory', meta } },
  },
  { type: 'change', image, change: { type: 'create', inode: 10, parent: 9, name: 'f', node: file } },
  { type: 'local-present', blob: 2, block: 1, digest: new Uint8Array(32) },
  { type: 'change', image, change: { type: 'link', inode: 10, parent: 0, name: 'g' } },
  { type: 'change', image, change: { type: 'unlink', parent: 9, name: 'f' } },
  { type: 'change', image, change: { type: 'set-meta', inode: 4, meta } },
  { type: 'change', image, change: { type: 'next-inode', inode: 12 } },
  { type: 'done', request: digest(5) },
  { type: 'pinned', sha256: digest(2), pinned: 1 },
  { type: 'used', image, atMs: 1e12 },
  { type: 'evict', sha256: digest(3) },
  { type: 'session-end' },
  { type: 'session-begin' },
  { type: 'recent', blob: 0, first: 2, count: 2 },
  { type: 'scrubbed' },
];

function slotOf(of: readonly JournalRecord[]): Bytes {
  const header = encodeHeader(3);
  return joined(header, encodeRecords(of, header));
}

/** The same with every checksum that has a place put right: header, and the chain of records as far as their lengths lead. */
function repaired(slot: Bytes): Bytes {
  const view = new DataView(slot.buffer, slot.byteOffset, slot.length);
  const seal = (start: number, at: number): void => {
    view.setUint32(at, crc32(slot.subarray(start, at)), true);
  };
  if (slot.length < headerLayout.size) return slot;
  seal(0, headerLayout.size - checksumSize);
  for (let at: number = headerLayout.size; at + 9 <= slot.length; ) {
    const end = at + 5 + view.getUint32(at, true);
    if (end + checksumSize > slot.length) break;
    seal(at - checksumSize, end);
    at = end + checksumSize;
  }
  return slot;
}

/** In the bytes of a slot, or in what its records say: their order, and their fields where these can hold the number. */
function damaged(slot: Bytes, mutator: Mutator): Bytes {
  return repaired(mutator.bytes(slot));
}

/** A slot of the local store's journal: replayed into what a reader and what the writer makes of it, and written anew. */
export const journal = fuzzTarget<Bytes>({
  name: 'journal',
  maxArrayBytes: 4 * 1024 * 1024,
  async seeds() {
    // Single records behind those that declare what they speak of, so that a change in one is not hidden by an earlier one's end.
    const declared = records.slice(0, 4);
    return [
      slotOf(records),
      slotOf([]),
      ...records.slice(4).map((record) => slotOf([...declared, record, ...records.slice(4)])),
    ];
  },
  mutate: damaged,
  run: (slot) =>
    outcomeOf(() => {
      const generation = decodeGeneration(slot);
      if (generation === undefined) return 'no header';
      const types: string[] = [];
      const writer = new WriterState();
      const end = replay(slot, headerLayout.size, (record) => {
        types.push(record.type);
        return writer.apply(record);
      });
      must(end <= slot.length, () => 'a journal ends within its slot');
      const reader = new StoreState();
      must(
        replay(slot, headerLayout.size, (record) => reader.apply(record)) === end,
        () => 'reader and writer agree',
      );
      const snapshot = [...writer.records()];
      must(snapshot.length < 2000, () => `${snapshot.length} records of a snapshot are few`);
      const again = slotOf(snapshot);
      const copy = new WriterState();
      const whole = replay(again, headerLayout.size, (record) => copy.apply(record)) === again.length;
      must(whole, () => 'what the state says can be read again');
      must(
        shown([...copy.records()]) === shown(snapshot),
        () => `a snapshot says the same again: ${shown(snapshot)} ${shown([...copy.records()])}`,
      );
      return `${types.slice(-3)} ${end === slot.length}`;
    }),
  show: shown,
});
