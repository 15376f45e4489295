import type { BlobDescription } from './journal.ts';
import type { Ledger } from './ledger.ts';
import type { BlobPresence } from './presence.ts';
import { imagePath } from './store-paths.ts';
import { hasFile } from './writer-state.ts';

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

/** The files of which something is true, in no order. */
export function storeFiles(ledger: Ledger): StoreFile[] {
  const { images, blobs, pinned } = ledger.state;
  const files: StoreFile[] = ledger.journalFiles().map((slot) => ({ kind: 'journal', ...slot }));
  for (const [id, length] of images) files.push({ kind: 'image', name: imagePath(id), length });
  for (const [sha256, blob] of blobs) {
    if (!hasFile(blob)) continue;
    const { description, presence } = blob;
    const name = ledger.state.pathOf(sha256);
    files.push({ kind: 'blob', name, description, presence, pinned: pinned.has(sha256) });
  }
  return files;
}
