import { SluiceError } from '../../format/errors.ts';
import { formatBytes } from '../../format/quantity.ts';

/** A file on the visitor's disk that is being written. */
export interface SaveTarget {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The file is whole. */
  end(): Promise<void>;
  /** Nothing is left of it. */
  abandon(): Promise<void>;
}

/** What browsers without a file picker download from: the browser keeps it until it is saved. */
const maxDownload = 2 ** 30;

/** Not everywhere, and not in TypeScript's library yet. */
interface FilePicker {
  showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
}

/**
 * Asks where to save, and streams there; where the browser has no file picker (or forbids it in frames, as DevTools' are) `bytes` are collected and downloaded,
 * up to a gibibyte, else `E2BIG`. To be called while a click is being handled. Undefined: the visitor has chosen nothing.
 */
export async function openSaveTarget(name: string, bytes: number): Promise<SaveTarget | undefined> {
  const picker = globalThis as FilePicker;
  if (picker.showSaveFilePicker) {
    try {
      const handle = await picker.showSaveFilePicker({ suggestedName: name });
      const file = await handle.createWritable();
      return {
        write: (piece) => file.write(piece),
        end: () => file.close(),
        abandon: () => file.abort(),
      };
    } catch (error) {
      const isRefused = error instanceof DOMException && error.name === 'AbortError';
      if (isRefused) return undefined;
      if (!(error instanceof DOMException && error.name === 'SecurityError')) throw error;
    }
  }
  if (bytes > maxDownload)
    throw new SluiceError(
      'E2BIG',
      `Here at most ${formatBytes(maxDownload)} can be saved at once, and the image has ${formatBytes(bytes)}: open the page __sluice/ of the site in Chrome or Edge, which write it to the disk as it comes`,
    );
  return downloadTarget(name);
}

/** Offers the bytes as a download. */
export function download(name: string, parts: BlobPart[], type: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after the click was handled; it has a minute for that.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

function downloadTarget(name: string): SaveTarget {
  // A Blob of Blobs: the browser may keep the pieces on disk.
  const parts: Blob[] = [];
  return {
    write: async (piece) => {
      parts.push(new Blob([piece]));
    },
    end: async () => download(name, parts, 'application/zip'),
    abandon: async () => {
      parts.length = 0;
    },
  };
}
