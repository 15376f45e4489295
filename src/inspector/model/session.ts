import { SluiceError } from '../../format/errors.ts';
import type { Image } from '../../image/image.ts';
import { readBlockRuns } from '../../protocol/block-states.ts';
import type {
  InspectedError,
  InspectedFetch,
  InspectedMadeFile,
  InspectedRead,
  Inspection,
  InspectionCursor,
} from '../../protocol/inspection.ts';
import { BlockSpace } from './block-space.ts';
import type { Snapshot } from './snapshot.ts';

/** How many of each are kept: some hours of a busy app, in a few MB. */
const limits = { reads: 20_000, fetches: 5000, errors: 500 };

/** Makes snapshots of one image out of the leader's answers, one after the other. Pure; who asks the leader is poller.ts. */
export class Session {
  readonly scope: string;
  readonly image: Image;
  readonly #space: BlockSpace;
  readonly #states: Uint8Array<ArrayBuffer>;
  #runs: Uint32Array | undefined;
  #statesVersion = 0;
  #reads: readonly InspectedRead[] = [];
  #fetches: readonly InspectedFetch[] = [];
  #errors: readonly InspectedError[] = [];
  #made: readonly InspectedMadeFile[] = [];
  #cursor: InspectionCursor | undefined;

  constructor(scope: string, image: Image) {
    this.scope = scope;
    this.image = image;
    this.#space = new BlockSpace(image.blobs());
    this.#states = new Uint8Array(this.#space.length);
  }

  /** For the next query; undefined before the first answer. */
  get cursor(): InspectionCursor | undefined {
    return this.#cursor;
  }

  /** Throws `EINVAL` for an answer about another image, or one whose blocks are not this image's. */
  add(inspection: Inspection): Snapshot {
    if (inspection.state.image !== this.image.id)
      throw new SluiceError('EINVAL', `An inspection of ${inspection.state.image}, not of ${this.image.id}`);
    this.#takeStates(inspection.blocks);
    // Serial numbers are the leader's: another one begins anew.
    if (this.#cursor?.leader !== inspection.cursor.leader) {
      this.#reads = [];
      this.#fetches = [];
      this.#errors = [];
    }
    this.#cursor = inspection.cursor;
    if (!areSame(this.#made, inspection.made)) this.#made = inspection.made;
    this.#reads = merged(this.#reads, inspection.reads, limits.reads);
    this.#fetches = merged(this.#fetches, inspection.fetches, limits.fetches);
    this.#errors = merged(this.#errors, inspection.errors, limits.errors);
    return {
      scope: this.scope,
      image: this.image,
      space: this.#space,
      states: this.#states,
      statesVersion: this.#statesVersion,
      inspection,
      reads: this.#reads,
      fetches: this.#fetches,
      errors: this.#errors,
      made: this.#made,
    };
  }

  #takeStates(runs: Uint32Array): void {
    const before = this.#runs;
    if (before?.length === runs.length && runs.every((run, i) => run === before[i])) return;
    readBlockRuns(runs, this.#states);
    this.#runs = runs;
    this.#statesVersion += 1;
  }
}

function areSame(a: readonly InspectedMadeFile[], b: readonly InspectedMadeFile[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ path, size, present }, i) => {
      const other = b[i]!;
      return path === other.path && size === other.size && present === other.present;
    })
  );
}

/**
 * The list with what is new, ordered by serial number; of what was told twice, the last word. The same list where nothing is new. The oldest of more than `limit` are left out.
 */
function merged<T extends { readonly serial: number }>(
  list: readonly T[],
  news: readonly T[],
  limit: number,
): readonly T[] {
  if (news.length === 0) return list;
  const bySerial = (a: T, b: T): number => a.serial - b.serial;
  const sorted = news.toSorted(bySerial);
  const first = sorted[0]!.serial;
  let old = list.length;
  while (old > 0 && list[old - 1]!.serial >= first) old--;
  const changed = new Map([...list.slice(old), ...sorted].map((one) => [one.serial, one]));
  const all = [...list.slice(0, old), ...[...changed.values()].sort(bySerial)];
  return all.length > limit ? all.slice(-limit) : all;
}
