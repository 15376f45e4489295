import { SluiceError } from '../../format/errors.ts';
import { formatBytes } from '../../format/quantity.ts';
import { download } from './download.ts';
import { stagedDownload } from './staged-download.ts';

/** A file on the visitor's disk that is being written. */
export interface SaveTarget {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The file is whole. */
  end(): Promise<void>;
  /** Nothing is left of it. */
  abandon(): Promise<void>;
}

/** What is collected in memory where the browser gives no file to write to. */
const mostCollected = 2 ** 30;

/** Not everywhere, and not in TypeScript's library yet. */
interface FilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

/**
 * Where about `bytes` of a file of this name are written to: one that the visitor chooses; where the browser asks nobody (Firefox), or not in frames (as DevTools' are), a file of the
 * origin's own that is downloaded when it is whole; and where there is no such file either, memory, up to a gibibyte, else `E2BIG`. To be called while a click is being handled.
 * Undefined: the visitor has chosen nothing.
 */
export async function openSaveTarget(name: string, bytes: number): Promise<SaveTarget | undefined> {
  const picked = await pick(name);
  if (picked === 'refused') return undefined;
  if (picked !== 'impossible') {
    const file = await picked.createWritable();
    return {
      write: (piece) => file.write(piece),
      end: () => file.close(),
      abandon: () => file.abort(),
    };
  }
  const staged = await stagedDownload(name, bytes);
  if (staged) return staged;
  if (bytes > mostCollected)
    throw new SluiceError(
      'E2BIG',
      `Here at most ${formatBytes(mostCollected)} can be saved at once, and the image has ${formatBytes(bytes)}: open the page __sluice/ of the site in Chrome or Edge, which write it to the disk as it comes`,
    );
  return collected(name);
}

/** `refused`: the visitor has chosen nothing. `impossible`: nobody can be asked here; Chrome says so of frames by two names, one for those of other sites. */
async function pick(name: string): Promise<FileSystemFileHandle | 'refused' | 'impossible'> {
  const picker = globalThis as FilePicker;
  if (!picker.showSaveFilePicker) return 'impossible';
  try {
    return await picker.showSaveFilePicker({ suggestedName: name });
  } catch (error) {
    const why = error instanceof DOMException ? error.name : '';
    if (why === 'AbortError') return 'refused';
    if (why === 'SecurityError' || why === 'NotAllowedError') return 'impossible';
    throw error;
  }
}

function collected(name: string): SaveTarget {
  // A Blob of Blobs: the browser may keep the pieces on disk.
  const parts: Blob[] = [];
  return {
    write: async (piece) => {
      parts.push(new Blob([piece]));
    },
    end: async () => download(name, new Blob(parts, { type: 'application/zip' })),
    abandon: async () => {
      parts.length = 0;
    },
  };
}
