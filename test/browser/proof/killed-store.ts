import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Directory } from '../../../src/store/directory.ts';
import { decodeGeneration, headerLayout } from '../../../src/store/journal.ts';
import { journalSlots } from '../../../src/store/store-paths.ts';
import { StoreReader } from '../../../src/store/store-reader.ts';

/**
 * What the journal says that a dead browser left in its profile. Chromium keeps each OPFS file as a plain file of a name of
 * its own choice below `File System`; a journal's slot is known by its header. Undefined where there is none yet.
 */
export async function killedStore(profileDir: string): Promise<StoreReader | undefined> {
  const folder = join(profileDir, 'Default', 'File System');
  const slots = new Map<number, Uint8Array<ArrayBuffer>>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const head = await readHead(path, headerLayout.size);
    const generation = decodeGeneration(head);
    if (generation !== undefined) slots.set(generation, new Uint8Array(await readFile(path)));
  }
  if (slots.size === 0) return undefined;
  const newest = [...slots].sort(([a], [b]) => b - a).map(([, bytes]) => bytes);
  return StoreReader.open(slotsOnly(newest));
}

async function readHead(path: string, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The reader chooses between the slots by itself, as the service worker's does. */
function slotsOnly(slots: readonly Uint8Array<ArrayBuffer>[]): Directory {
  const refuse = (): never => {
    throw new Error('a dead browser is only looked at');
  };
  return {
    open: refuse,
    remove: refuse,
    list: async () => [],
    snapshot: async (path) => {
      const slot = slots[(journalSlots as readonly string[]).indexOf(path)];
      return slot && new Blob([slot]);
    },
  };
}
