import type { MappingCounts } from '../src/protocol/state.ts';

/** `[start, end)` of a file lies raw, in one piece, in a sealed blob, from byte `at` of it on. */
export interface Mapping {
  readonly start: number;
  readonly end: number;
  readonly sha256: string;
  readonly at: number;
}

/** What is remembered of one file. */
interface FileMappings {
  /** In file order, apart or touching, never overlapping. */
  mappings: Mapping[];
  sequence: number;
}

/**
 * Where bytes of files are, so that a read that follows another asks neither extents nor block tables again. The idea is the file mapping
 * cache of the fuse iomap work: a mapping is trimmed to what is asked, neighbours are merged, and one that was taken before a change (by its
 * sequence number) is looked at again before it is used. Bounded: the file that was read longest ago is forgotten first.
 */
export class MappingCache {
  readonly #limit: number;
  /** By file, in order of use. */
  readonly #files = new Map<string, FileMappings>();
  #size = 0;
  #hits = 0;
  #misses = 0;
  #revalidations = 0;

  /** `limit`: mappings in all. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  get counts(): MappingCounts {
    return { hits: this.#hits, misses: this.#misses, revalidations: this.#revalidations };
  }

  /**
   * The mappings that cover `[start, end)` without a gap, trimmed to it; undefined where that is not known. `sequence` is that of the store now;
   * what was taken at another one is kept only as far as `isStill` says that its blob is what it was.
   */
  lookup(
    file: string,
    start: number,
    end: number,
    sequence: number,
    isStill: (sha256: string) => boolean,
  ): Mapping[] | undefined {
    const known = this.#files.get(file);
    if (known && known.sequence !== sequence) {
      this.#revalidations += 1;
      known.sequence = sequence;
      this.#replace(
        known,
        known.mappings.filter(({ sha256 }) => isStill(sha256)),
      );
    }
    const found = known && cover(known.mappings, start, end);
    if (!found) {
      this.#misses += 1;
      return undefined;
    }
    this.#hits += 1;
    this.#files.delete(file);
    this.#files.set(file, known);
    return found;
  }

  /** Remembers mappings, in file order, that were true at `sequence`. They take the place of what was known of the same bytes. */
  insert(file: string, mappings: readonly Mapping[], sequence: number): void {
    const [first, last] = [mappings[0], mappings.at(-1)];
    if (!first || !last) return;
    const known = this.#files.get(file) ?? { mappings: [], sequence };
    // What is older may be wrong by now, what is newer is right: only equals are put together.
    const kept = known.sequence === sequence ? without(known.mappings, first.start, last.end) : [];
    known.sequence = sequence;
    this.#files.delete(file);
    this.#files.set(file, known);
    this.#replace(known, merged([...kept, ...mappings].sort((a, b) => a.start - b.start)));
    for (const [oldest, { mappings }] of this.#files) {
      if (this.#size <= this.#limit) break;
      this.#files.delete(oldest);
      this.#size -= mappings.length;
    }
  }

  #replace(known: FileMappings, mappings: Mapping[]): void {
    this.#size += mappings.length - known.mappings.length;
    known.mappings = mappings;
  }
}

/** Undefined where there is a gap. An empty range is covered by nothing. */
function cover(mappings: readonly Mapping[], start: number, end: number): Mapping[] | undefined {
  const found: Mapping[] = [];
  let at = start;
  for (let i = firstBehind(mappings, start); at < end; i++) {
    const mapping = mappings[i];
    if (!mapping || mapping.start > at) return undefined;
    found.push(trimmed(mapping, at, end));
    at = mapping.end;
  }
  return found;
}

/** Index of the first mapping that ends behind `at`. */
function firstBehind(mappings: readonly Mapping[], at: number): number {
  let low = 0;
  let high = mappings.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (mappings[middle]!.end <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function trimmed({ start, end, sha256, at }: Mapping, from: number, to: number): Mapping {
  const begin = Math.max(start, from);
  return { start: begin, end: Math.min(end, to), sha256, at: at + begin - start };
}

function without(mappings: readonly Mapping[], start: number, end: number): Mapping[] {
  return mappings.flatMap((mapping) => {
    if (mapping.end <= start || mapping.start >= end) return [mapping];
    const before = mapping.start < start ? [trimmed(mapping, mapping.start, start)] : [];
    const after = mapping.end > end ? [trimmed(mapping, end, mapping.end)] : [];
    return [...before, ...after];
  });
}

/** Neighbours in the file that are neighbours in the blob, too, become one. */
function merged(mappings: readonly Mapping[]): Mapping[] {
  const result: Mapping[] = [];
  for (const mapping of mappings) {
    const last = result.at(-1);
    const goesOn =
      last?.end === mapping.start &&
      last.sha256 === mapping.sha256 &&
      last.at + last.end - last.start === mapping.at;
    if (goesOn) result[result.length - 1] = { ...last, end: mapping.end };
    else result.push(mapping);
  }
  return result;
}
