import type { Inspection } from '../../protocol/inspection.ts';

/** A part of what the origin uses of its quota. */
export interface StoragePart {
  readonly kind: 'this' | 'other' | 'journal' | 'copies' | 'rest';
  readonly name: string;
  readonly bytes: number;
}

/**
 * What fills the quota: the image that is looked at, the other ones, the journal, the copies of code in Cache Storage, and what the origin keeps
 * besides. Blobs that images share are counted with each of them, so their sum may be more than is used; then nothing is left for the rest. Empty parts are
 * left out.
 */
export function storageParts({ state, versions, storage }: Inspection): StoragePart[] {
  const { journalBytes, room } = storage;
  const parts: StoragePart[] = [];
  for (const { image, bytes } of versions) {
    const isThis = image === state.image;
    const name = isThis ? 'this image' : `image ${image.slice(0, 10)}`;
    if (isThis) parts.unshift({ kind: 'this', name, bytes });
    else parts.push({ kind: 'other', name, bytes });
  }
  parts.push(
    { kind: 'journal', name: 'journal', bytes: journalBytes },
    { kind: 'copies', name: 'copies of code', bytes: state.copies.bytes },
  );
  const known = parts.reduce((sum, { bytes }) => sum + bytes, 0);
  if (room) parts.push({ kind: 'rest', name: 'other data of this origin', bytes: room.usage - known });
  return parts.filter(({ bytes }) => bytes > 0);
}

/** A limit of culling as the amount of use at which it is met. */
export interface UseLimit {
  readonly name: string;
  readonly meaning: string;
  /** Bytes of use. */
  readonly use: number;
}

/** By how much is used, the first that is met first. Empty where the browser tells no quota. */
export function useLimits({ room, limits }: Inspection['storage']): UseLimit[] {
  if (!room) return [];
  const at = (free: number): number => room.quota * (1 - free);
  return [
    { name: 'run', meaning: 'culling goes on until use is below this', use: at(limits.run) },
    {
      name: 'cull',
      meaning: 'above this, blobs that nobody uses are given back',
      use: at(limits.cull),
    },
    { name: 'stop', meaning: 'above this, nothing more is stored', use: at(limits.stop) },
  ];
}
