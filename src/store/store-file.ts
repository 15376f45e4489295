import type { BlobDescription } from './journal.ts';
import type { BlobPresence } from './presence.ts';

/** A blob of which something is stored. */
export interface BlobFile {
  readonly kind: 'blob';
  /** Below the store's folder. */
  readonly name: string;
  readonly description: BlobDescription;
  readonly presence: BlobPresence;
  /** Kept from being culled. */
  readonly pinned: boolean;
}

/** A file of the local store, as its journal knows it. */
export type StoreFile =
  | BlobFile
  | { readonly kind: 'image' | 'journal'; readonly name: string; readonly length: number };
