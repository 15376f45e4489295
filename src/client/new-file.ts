import type { TreeOperation } from '../format/tree-operation.ts';
import { utf8Encode } from '../format/utf8.ts';
import type { ProvidedBlock } from '../protocol/loader-api.ts';

/** The bytes of a new file; a text becomes UTF-8. A Blob is read piece by piece and never held whole. */
export type FileContent = string | ArrayBuffer | ArrayBufferView<ArrayBuffer> | Blob;

export interface NewFileOptions {
  /** Content-Type. Default: that of the Blob, else by the name. */
  readonly mime?: string;
  /** Up to 512 bytes for the app's own use. */
  readonly meta?: string | Uint8Array<ArrayBuffer>;
  /** Bytes of each block but the last: a power of two from 4 KiB to 1 MiB. Default 64 KiB. */
  readonly blockSize?: number;
}

/** Either all of the file, or its size: then `provideBlocks` brings the bytes, and reads wait for them. */
export type CreateFileOptions = NewFileOptions &
  (
    | { readonly content: FileContent; readonly size?: undefined }
    | { readonly size: number; readonly content?: undefined }
  );

/** What making a file needs of a loader. */
export interface FileMaker {
  change(operation: TreeOperation): Promise<void>;
  provide(blocks: readonly ProvidedBlock[]): Promise<void>;
}

const defaultBlockSize = 64 * 1024;
/** What goes in one message. A multiple of every block size. */
export const messageBytes = 4 << 20;

/** Makes a file. Content that is too large for one message follows in pieces; when one cannot be stored, the file is removed again. */
export async function createFile(maker: FileMaker, path: string, options: CreateFileOptions): Promise<void> {
  const { meta = '', blockSize = defaultBlockSize } = options;
  const given = options.content;
  const content = given === undefined || given instanceof Blob ? given : new Blob([given]);
  const mime = options.mime ?? content?.type ?? '';
  const size = content?.size ?? options.size ?? Number.NaN;
  const short = content !== undefined && size <= messageBytes;
  await maker.change({
    type: 'create-file',
    path,
    size,
    blockSize,
    mime,
    meta: metaBytes(meta),
    content: short ? await bytesOf(content) : undefined,
  });
  if (content === undefined || short) return;
  try {
    for (let at = 0; at < size; at += messageBytes) {
      const piece = await bytesOf(content.slice(at, at + messageBytes));
      const blocks: ProvidedBlock[] = [];
      for (let offset = 0; offset < piece.length; offset += blockSize) {
        const bytes = piece.subarray(offset, offset + blockSize);
        blocks.push({ path, block: (at + offset) / blockSize, bytes });
      }
      await maker.provide(blocks);
    }
  } catch (error) {
    await maker
      .change({ type: 'unlink', path })
      .catch((reason) => console.warn(`sluice: ${path} stays, a part of it only:`, reason));
    throw error;
  }
}

export function metaBytes(meta: string | Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return typeof meta === 'string' ? utf8Encode(meta) : meta;
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}
