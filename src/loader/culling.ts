/** Fractions of the quota that are free. */
export interface CullLimits {
  /** Culling goes on until so much is free. */
  readonly run: number;
  /** Culling begins when less is free. */
  readonly cull: number;
  /** Nothing more is written while less is free. */
  readonly stop: number;
}

/** cachefiles' own. */
export const cullLimits: CullLimits = { run: 0.1, cull: 0.07, stop: 0.03 };

/** Bytes. */
export interface Room {
  readonly usage: number;
  readonly quota: number;
  /** Whether the browser has promised not to clear the origin's storage by itself; undefined where it does not tell. */
  readonly persisted?: boolean | undefined;
}

export interface CullableImage {
  /** SHA-256 of its bootstrap. */
  readonly id: string;
  /** In ms since 1970; undefined where it never was. */
  readonly lastUsed: number | undefined;
  /** Some tab uses it now, or may. */
  readonly inUse: boolean;
  /** SHA-256 of its published blobs in their order; undefined where that cannot be told. */
  readonly blobs: Iterable<string> | undefined;
  /** The leader has it open, whether or not somebody uses it. */
  readonly isOpen: boolean;
  /** Something is left of what was changed in its tree at run time. */
  readonly isChanged: boolean;
  /** The stored bytes of its bootstrap are not the published ones. */
  readonly isSpoilt: boolean;
}

export interface CullableBlob {
  readonly sha256: string;
  /** What is present of it. */
  readonly bytes: number;
  readonly pinned: boolean;
  /** Of a file made at run time: there is no other copy. */
  readonly private: boolean;
}

export interface CullQuery extends Room {
  readonly limits: CullLimits;
  readonly images: Iterable<CullableImage>;
  readonly blobs: Iterable<CullableBlob>;
}

/** Whether so little is free that culling is due. */
export function isCullDue({ usage, quota }: Room, { cull }: CullLimits): boolean {
  return quota - usage < cull * quota;
}

/**
 * Which blobs to give back, as cachefiles culls its cache: once less than `cull` is free, until `run` is, or until nothing is left that may go. Only
 * published blobs that nobody pinned go, whole or in part, none of an image that is in use: first those of no image, then those of the image whose last use is
 * longest ago, of each image the last ones first, since launches read the first. Where it cannot be told which blobs an image has, those of no known
 * image may be its own, and stay.
 */
export function planCull(query: CullQuery): string[] {
  const { usage, quota, limits } = query;
  if (!isCullDue(query, limits)) return [];
  const images = [...query.images];
  const isKnown = images.every(({ blobs }) => blobs !== undefined);
  const places = placesOf(images);
  const candidates = [...query.blobs]
    .filter(({ pinned, private: own }) => !pinned && !own)
    .map((blob) => ({ blob, place: places.get(blob.sha256) ?? (isKnown ? ownerless : kept) }))
    .filter(({ place }) => !place.inUse)
    .sort((a, b) => a.place.lastUsed - b.place.lastUsed || b.place.index - a.place.index);
  const evict: string[] = [];
  let free = quota - usage;
  for (const { blob } of candidates) {
    if (free >= limits.run * quota) break;
    evict.push(blob.sha256);
    free += blob.bytes;
  }
  return evict;
}

export interface RemovalQuery {
  readonly images: Iterable<CullableImage>;
  /** SHA-256 of the blobs of which something is present. */
  readonly present: ReadonlySet<string>;
  readonly isPinned: (sha256: string) => boolean;
}

/**
 * Which images to remove, now that culling has taken what it takes: those of which nothing is left that anybody could miss. Nothing of their published blobs is
 * present, but for what an image in use has as well, and some blob is wholly missing; none is pinned, nobody uses them, the leader has not opened them, and nothing
 * is left of what was changed in their trees.
 *
 * Where it cannot be told which blobs an image has, it stays: its bootstrap may be one for a newer release of ours, or readable at the next look. Only bytes that are
 * not the published ones are of no use to anybody; whoever opens that image fetches them again in any case, and as long as they lie there,
 * blobs of no known image may be its own and cannot go.
 */
export function planRemoval({ images, present, isPinned }: RemovalQuery): string[] {
  const all = [...images];
  const used = new Set(all.flatMap(({ inUse, blobs = [] }) => (inUse ? [...blobs] : [])));
  const isEmptied = (blobs: readonly string[]): boolean =>
    blobs.some((sha256) => !present.has(sha256)) &&
    blobs.every((sha256) => !isPinned(sha256) && (!present.has(sha256) || used.has(sha256)));
  return all
    .filter(({ inUse, isOpen, isChanged }) => !inUse && !isOpen && !isChanged)
    .filter(({ blobs, isSpoilt }) => (blobs ? isEmptied([...blobs]) : isSpoilt))
    .map(({ id }) => id);
}

/** What all the images that have a blob say of it together. */
interface Place {
  readonly lastUsed: number;
  readonly inUse: boolean;
  /** In the image that used it last. */
  readonly index: number;
}

const ownerless: Place = { lastUsed: -1, inUse: false, index: 0 };
const kept: Place = { lastUsed: Number.POSITIVE_INFINITY, inUse: true, index: 0 };

function placesOf(images: readonly CullableImage[]): Map<string, Place> {
  const places = new Map<string, Place>();
  for (const { lastUsed = 0, inUse, blobs = [] } of images) {
    let index = 0;
    for (const sha256 of blobs) {
      const other = places.get(sha256);
      const latest = other && other.lastUsed > lastUsed ? other : { lastUsed, index };
      places.set(sha256, { ...latest, inUse: inUse || (other?.inUse ?? false) });
      index += 1;
    }
  }
  return places;
}
