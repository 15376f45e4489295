import type { Clock } from '../../protocol/clock.ts';
import { withDeadline } from '../../protocol/deadline.ts';
import type { InspectedStorage, InspectedVersion } from '../../protocol/inspection.ts';
import { presentBytes } from '../../store/presence.ts';
import { cullLimits, type Room } from '../culling.ts';
import type { LocalBlocks } from '../local-blocks.ts';
import type { StorageCare } from '../storage-care.ts';
import { RecentAnswer } from './recent-answer.ts';

export interface StorageViewOptions {
  readonly local: LocalBlocks;
  readonly care: Pick<StorageCare, 'images' | 'nextToGo' | 'uses'>;
  readonly clock: Clock;
  readonly estimate: () => Promise<Room | undefined>;
}

/** The platform is asked at most so often: it is slow to answer, and nothing here changes in a moment. */
const againMs = 2000;
const estimateMs = 1000;
/** Of what would be culled next, so much is told. */
const mostNext = 20;

/** What has to be waited for; the rest is told of the tick in which it is asked. */
export type StorageOutlook = Pick<InspectedStorage, 'room' | 'next'>;

/** How full the store is, of what, and what would go. */
export class StorageView {
  readonly #options: StorageViewOptions;
  readonly #outlook: RecentAnswer<StorageOutlook>;

  constructor(options: StorageViewOptions) {
    this.#options = options;
    this.#outlook = new RecentAnswer(options.clock, againMs, () => this.#ask());
  }

  /** Two seconds old at most. Asked for first, and nothing waited for after that, {@link storage} and {@link versions} are of the same moment. */
  outlook(): Promise<StorageOutlook> {
    return this.#outlook.get();
  }

  storage(kind: InspectedStorage['kind'], { room, next }: StorageOutlook): InspectedStorage {
    const { local } = this.#options;
    let journalBytes = 0;
    for (const file of local.files()) if (file.kind === 'journal') journalBytes += file.length;
    const isStillToGo = (sha256: string): boolean =>
      (local.known(sha256)?.count ?? 0) > 0 && !local.pinned(sha256);
    return {
      kind,
      room,
      journalBytes,
      limits: cullLimits,
      next: next.filter(({ sha256 }) => isStillToGo(sha256)),
    };
  }

  /** The one that was used last first. */
  versions(): InspectedVersion[] {
    const { local, care } = this.#options;
    const inUse = new Set(care.uses().map(({ image }) => image));
    const stored = new Set(local.images.stored());
    const bytesOf = this.#bytes();
    const versions: InspectedVersion[] = [];
    for (const image of care.images.ids()) {
      const facts = care.images.knownFactsOf(image);
      let present = 0;
      for (const sha256 of facts?.blobs ?? []) present += bytesOf.get(sha256) ?? 0;
      versions.push({
        image,
        inUse: inUse.has(image),
        isStored: stored.has(image),
        lastUsed: local.images.lastUsed(image),
        bytes: (bytesOf.get(image) ?? 0) + present,
        stored: facts && { total: facts.storedBytes, present },
      });
    }
    return versions.sort((a, b) => (b.lastUsed ?? 0) - (a.lastUsed ?? 0));
  }

  /** Of what is stored, by SHA-256. */
  #bytes(): Map<string, number> {
    const bytes = new Map<string, number>();
    for (const file of this.#options.local.files()) {
      if (file.kind === 'blob') {
        const { description, presence } = file;
        bytes.set(description.sha256, presentBytes(description, presence));
      } else if (file.kind === 'image') bytes.set(imageOf(file.name), file.length);
    }
    return bytes;
  }

  async #ask(): Promise<StorageOutlook> {
    const { estimate, care, clock } = this.#options;
    const [room, next] = await Promise.all([
      // That the platform does not tell is told; why, the culler reports, which needs it.
      withDeadline('The quota', estimate(), estimateMs, clock).catch(() => undefined),
      care.nextToGo(mostNext),
      // For versions(): of an image that is stored and not mounted, its bootstrap has to be read.
      ...care.images.ids().map((image) => care.images.blobsOf(image)),
    ]);
    return { room, next };
  }
}

/** From the name of its file. */
function imageOf(name: string): string {
  return /[0-9a-f]{64}/.exec(name)?.[0] ?? '';
}
