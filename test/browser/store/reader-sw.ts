import { openOpfsDirectory } from '../../../src/store/opfs-directory.ts';
import { StoreReader } from '../../../src/store/store-reader.ts';
import { serve } from './calls.ts';

serve({
  /** Stored bytes of a blob, from a reader that has just been opened; `how` says whether by slice or by read. */
  async read(
    folder: string,
    sha256: string,
    start: number,
    end: number,
    how: 'slice' | 'read',
  ): Promise<unknown> {
    const directory = await openOpfsDirectory(folder);
    const reader = await StoreReader.open(directory!);
    const known = {
      sealed: reader.sealed(sha256),
      hasTable: reader.hasTable(sha256),
      has: reader.has(sha256, 0),
    };
    const slice = how === 'slice' ? await reader.slice(sha256, start, end) : undefined;
    const bytes = slice ? new Uint8Array(await slice.arrayBuffer()) : await reader.read(sha256, start, end);
    return { ...known, bytes: bytes && [...bytes], files: await directory!.list('blobs') };
  },

  /** A service worker has no handles: this fails by its code, and at once. */
  async open(folder: string): Promise<unknown> {
    const directory = await openOpfsDirectory(folder);
    return directory!.open('a', { create: true }).then(
      () => 'opened',
      (error: { code?: unknown }) => error.code,
    );
  },
});
