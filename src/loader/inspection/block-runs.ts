import type { BlobRecord } from '../../format/blob-record.ts';
import { BlockRunsWriter, blockState, pinnedFlag } from '../../protocol/block-states.ts';
import type { BlobPresence } from '../../store/presence.ts';

/** What is known of blobs, by SHA-256: of most of a large image nothing. */
export interface BlockFacts {
  /** What the store has. */
  readonly stored: (sha256: string) => BlobPresence | undefined;
  readonly isPinned: (sha256: string) => boolean;
  /** What the store has does not outlive this loader. */
  readonly inMemory: boolean;
  /** States of blocks that are not, or not only, in the store. */
  readonly others: BlockMarks;
}

interface Marks {
  /** Half-open, of blocks. */
  readonly runs: { readonly first: number; readonly end: number; readonly state: number }[];
  /** In the store, and not to be read from there. */
  readonly lost: number[];
}

/** States of single blocks and short runs, gathered in any order. Of several for one block the highest counts. */
export class BlockMarks {
  readonly #marks = new Map<string, Marks>();

  add(sha256: string, first: number, end: number, state: number): void {
    this.#of(sha256).runs.push({ first, end, state });
  }

  /** The store cannot read it back. */
  lost(sha256: string, block: number): void {
    this.#of(sha256).lost.push(block);
  }

  of(sha256: string): Marks | undefined {
    return this.#marks.get(sha256);
  }

  #of(sha256: string): Marks {
    const known = this.#marks.get(sha256);
    if (known) return known;
    const marks: Marks = { runs: [], lost: [] };
    this.#marks.set(sha256, marks);
    return marks;
  }
}

/** The states of all blocks of these blobs, one blob after the other, as runs. Its cost is that of bits: a million blocks take some milliseconds. */
export function blockRuns(blobs: Iterable<BlobRecord>, facts: BlockFacts): Uint32Array<ArrayBuffer> {
  const { stored, isPinned, inMemory, others } = facts;
  const writer = new BlockRunsWriter();
  for (const { sha256, blockCount } of blobs) {
    const presence = stored(sha256);
    const marks = others.of(sha256);
    const flag = isPinned(sha256) ? pinnedFlag : 0;
    const here = inMemory ? blockState.inMemory : presence?.sealed ? blockState.sealed : blockState.present;
    const count = presence?.count ?? 0;
    if (!marks && (count === 0 || count === blockCount)) {
      writer.add((count === 0 ? blockState.missing : here) + flag, blockCount);
      continue;
    }
    const bits = count === blockCount ? undefined : presence?.bits;
    if (!marks && bits) {
      writeBits(writer, bits, blockCount, here + flag, blockState.missing + flag);
      continue;
    }
    const states = new Uint8Array(blockCount);
    if (count === blockCount) states.fill(here);
    else if (bits) paintBits(states, bits, here);
    for (const block of marks?.lost ?? []) states[block] = blockState.damaged;
    for (const { first, end, state } of marks?.runs ?? [])
      for (let block = first; block < end; block++) if (states[block]! < state) states[block] = state;
    writeStates(writer, states, flag);
  }
  return writer.runs();
}

/** Eight blocks at a time where they are alike. */
function writeBits(
  writer: BlockRunsWriter,
  bits: Uint8Array,
  blockCount: number,
  present: number,
  missing: number,
): void {
  let state = missing;
  let length = 0;
  for (let i = 0; i < bits.length; i++) {
    const width = Math.min(8, blockCount - i * 8);
    // A set bit ends the run of what it is not.
    let turns = state === present ? ~bits[i]! : bits[i]!;
    for (let at = 0; at < width; ) {
      const rest = turns >>> at;
      const same = rest === 0 ? width - at : Math.min(31 - Math.clz32(rest & -rest), width - at);
      length += same;
      at += same;
      if (at === width) break;
      writer.add(state, length);
      length = 0;
      state = state === present ? missing : present;
      turns = ~turns;
    }
  }
  writer.add(state, length);
}

function paintBits(states: Uint8Array, bits: Uint8Array, state: number): void {
  for (let i = 0; i < bits.length; i++) {
    const byte = bits[i]!;
    if (byte === 0) continue;
    const end = Math.min(states.length, i * 8 + 8);
    if (byte === 0xff) states.fill(state, i * 8, end);
    else
      for (let block = i * 8, rest = byte; rest > 0; block++, rest >>= 1) if (rest & 1) states[block] = state;
  }
}

function writeStates(writer: BlockRunsWriter, states: Uint8Array, flag: number): void {
  for (let first = 0; first < states.length; ) {
    const state = states[first]!;
    let end = first + 1;
    while (end < states.length && states[end] === state) end += 1;
    writer.add(state + flag, end - first);
    first = end;
  }
}
