import { SluiceError } from '../format/errors.ts';
import type { Clock } from '../protocol/clock.ts';
import { withDeadline } from '../protocol/deadline.ts';
import { presentBytes } from '../store/presence.ts';
import { BackOff } from './back-off.ts';
import {
  type CullableBlob,
  type CullableImage,
  type CullLimits,
  cullLimits,
  isCullDue,
  planCull,
  planRemoval,
  type Room,
} from './culling.ts';
import type { Engine } from './engine.ts';
import type { ImageUses } from './image-uses.ts';
import type { KnownImages } from './known-images.ts';
import type { LocalBlocks } from './local-blocks.ts';

export interface CullerOptions {
  readonly engine: Engine;
  readonly local: LocalBlocks;
  readonly images: KnownImages;
  readonly uses: Pick<ImageUses, 'has' | 'areKnown'>;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  /** How much of the quota is used; undefined where the platform does not tell. */
  readonly estimate: () => Promise<Room | undefined>;
  /** Whether the leader has opened the image: then its bootstrap stays, which is not looked for, or stored, a second time. */
  readonly isOpen: (image: string) => boolean;
  /** Blobs were given back. */
  readonly onCulled: () => void;
}

const estimateMs = 5000;
/** Where the platform has no room, at least so much is given back: it hands out room to each open file ahead of need, Chromium 1 to 8 MiB. */
const leastBytes = 16 * 1024 * 1024;
/** While storing has stopped, it is looked so often whether there is room again. What else it has stopped for may pass at any time: sooner at first. */
const lookAgainMs = 60_000;
const firstPauseMs = 2000;
/** Between two looks at least, and at most, so much is written. */
const minStep = 1024 * 1024;
const maxStep = 64 * 1024 * 1024;

/**
 * Keeps the store within the platform's quota, as cachefiles keeps within its disk: see culling.ts for which blobs go, and which bootstraps after them, and
 * {@link cullLimits} for when. The quota is asked for rarely: when an image is opened, after so many bytes that a limit may be near, and when the platform says
 * that there is no room.
 */
export class Culler {
  readonly #options: CullerOptions;
  readonly #pause: BackOff;
  #looking: Promise<boolean> | undefined;
  /** Bytes that may be written until the next look. */
  #untilLook = 0;
  #stopTimer: (() => void) | undefined;
  #closed = false;

  constructor(options: CullerOptions) {
    this.#options = options;
    this.#pause = new BackOff({ firstMs: firstPauseMs, maxMs: lookAgainMs, random: options.random });
  }

  /** So many bytes were written and committed. */
  wrote(bytes: number): void {
    this.#untilLook -= bytes;
    if (this.#untilLook <= 0) this.look();
  }

  /** Looks at how much is free, culls what has to go, stops or resumes storing. */
  look(): void {
    if (!this.#looking) void this.#once(false);
  }

  /** The platform has said that there is no room, whatever it estimates. Never rejects. */
  async makeRoom(): Promise<void> {
    // A look may be at it.
    if (!(await this.#looking)) await this.#once(true);
  }

  close(): void {
    this.#closed = true;
    this.#stopTimer?.();
  }

  /** Whoever comes while it runs shares its end. Answers whether something went. */
  #once(isFull: boolean): Promise<boolean> {
    this.#looking ??= this.#run(isFull)
      .catch((error: unknown) => {
        // What could not be given back stays; the next look tries again.
        this.#options.engine.report(error);
        return false;
      })
      .finally(() => {
        this.#looking = undefined;
        this.lookAgain();
      });
    return this.#looking;
  }

  async #run(isFull: boolean): Promise<boolean> {
    const { local } = this.#options;
    const told = await this.#estimate();
    if (isFull) return told !== undefined && (await this.#cullFull(told)) > 0;
    // What has nothing to do with room passes whatever there is of it; and where that is not told, only trying shows it.
    if (!local.outOfRoom || !told) await this.#resume();
    if (!told) return false;
    const { usage, quota } = told;
    const bytes = isCullDue(told, cullLimits) ? await this.#cull(told, cullLimits) : 0;
    const free = quota - usage + bytes;
    if (free < cullLimits.stop * quota)
      local.stop(new SluiceError('ENOSPC', `Only ${free} bytes of the quota are free: storing has stopped`));
    else if (free > cullLimits.run * quota) await this.#resume();
    this.#untilLook = Math.min(Math.max((free - cullLimits.cull * quota) / 2, minStep), maxStep);
    return bytes > 0;
  }

  /** What was kept in memory meanwhile may need more room than there is. */
  async #resume(): Promise<void> {
    const { local, engine } = this.#options;
    while (local.full && !this.#closed) {
      if (await local.resume()) {
        this.#pause.reset();
        return engine.resume();
      }
      const told = local.outOfRoom ? await this.#estimate() : undefined;
      if (!told || (await this.#cullFull(told)) === 0) return;
    }
  }

  /** Undefined also where the platform fails to tell: the next look asks again. */
  async #estimate(): Promise<Room | undefined> {
    const { estimate, engine } = this.#options;
    if (this.#closed) return undefined;
    try {
      return await withDeadline('The quota', estimate(), estimateMs);
    } catch (error) {
      engine.report(error);
      return undefined;
    }
  }

  /** Where what is used cannot grow, it is the quota. (Chromium tells 10 GiB more than is used, whatever there is.) */
  #cullFull({ usage, quota: told }: Room): Promise<number> {
    const quota = Math.min(told, usage);
    const run = Math.max(cullLimits.run, leastBytes / quota);
    return this.#cull({ usage, quota }, { ...cullLimits, run });
  }

  /** Answers how many bytes went. */
  async #cull(room: Room, limits: CullLimits): Promise<number> {
    const { engine, images, uses, onCulled } = this.#options;
    const ids = images.ids();
    const blobsOf = await this.#blobsOf(ids);
    // A new leader has not heard of everybody yet: what they use must not go.
    if (!(await uses.areKnown()) || this.#closed) return 0;
    // From here on in one tick with the eviction, so that nobody comes to use an image in between.
    const { blobs, images: cullable } = this.#candidates(blobsOf);
    const evict = new Set(planCull({ ...room, limits, images: cullable, blobs }));
    if (evict.size > 0) {
      for (const id of ids) {
        const mount = uses.has(id) ? undefined : engine.mountOf(id);
        // What goes would be fetched again at once.
        if (mount && [...evict].some((sha256) => mount.indexOf(sha256) !== undefined))
          engine.leaveIncomplete(mount);
      }
      await engine.evict([...evict]);
      onCulled();
    }
    const bytes = blobs.reduce((sum, blob) => sum + (evict.has(blob.sha256) ? blob.bytes : 0), 0);
    return bytes + (await this.#removeImages(blobsOf));
  }

  /** Looks at what is left now, in one tick with the removal. Whoever comes to use such an image later fetches its bootstrap anew. Answers how many bytes went. */
  async #removeImages(blobsOf: ReadonlyMap<string, ReadonlySet<string> | undefined>): Promise<number> {
    const { engine, local } = this.#options;
    if (this.#closed) return 0;
    const { blobs, images } = this.#candidates(blobsOf);
    const present = new Set(blobs.map(({ sha256 }) => sha256));
    const isPinned = (sha256: string): boolean => local.pinned(sha256);
    try {
      return await local.images.remove(planRemoval({ images, present, isPinned }));
    } catch (error) {
      // No room for a journal without them, say: they stay, and the next look tries again. The blobs have gone all the same.
      engine.report(error);
      return 0;
    }
  }

  /** What would go next, first first, were culling due: no more than `most` blobs. */
  async next(most: number): Promise<{ readonly sha256: string; readonly bytes: number }[]> {
    const candidates = this.#candidates(await this.#blobsOf(this.#options.images.ids()));
    const all = Number.MAX_SAFE_INTEGER;
    const limits = { run: 1, cull: 1, stop: 0 };
    const bytes = new Map(candidates.blobs.map((blob) => [blob.sha256, blob.bytes]));
    return planCull({ usage: all, quota: all, limits, ...candidates })
      .slice(0, most)
      .map((sha256) => ({ sha256, bytes: bytes.get(sha256)! }));
  }

  async #blobsOf(ids: readonly string[]): Promise<Map<string, ReadonlySet<string> | undefined>> {
    const blobsOf = new Map<string, ReadonlySet<string> | undefined>();
    for (const id of ids) blobsOf.set(id, await this.#options.images.blobsOf(id));
    return blobsOf;
  }

  #candidates(blobsOf: ReadonlyMap<string, ReadonlySet<string> | undefined>): {
    readonly images: CullableImage[];
    readonly blobs: CullableBlob[];
  } {
    const { local, images: known, uses, isOpen } = this.#options;
    const blobs = local.files().flatMap((file) => {
      if (file.kind !== 'blob') return [];
      const { description, presence, pinned } = file;
      const { sha256, blockSize } = description;
      // Of a part, that is the least that its file takes.
      const bytes = presentBytes(description, presence);
      return [{ sha256, bytes, pinned, private: blockSize !== undefined }];
    });
    const images = Array.from(blobsOf, ([id, blobs]) => ({
      id,
      lastUsed: local.images.lastUsed(id),
      inUse: uses.has(id),
      blobs,
      isOpen: isOpen(id),
      isChanged: !local.overlay(id).isEmpty,
      isSpoilt: known.isSpoilt(id),
    }));
    return { images, blobs };
  }

  /** Looks again after a while where storing has stopped. */
  lookAgain(): void {
    const { local, clock } = this.#options;
    // The end of a look does it.
    if (this.#looking) return;
    this.#stopTimer?.();
    if (!local.full || this.#closed) return;
    const ms = local.outOfRoom ? lookAgainMs : this.#pause.next();
    this.#stopTimer = clock.after(ms, () => this.look());
  }
}
