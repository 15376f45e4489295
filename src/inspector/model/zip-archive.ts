import { SluiceError } from '../../format/errors.ts';

interface Entry {
  readonly method: number;
  /** In the archive. */
  readonly storedLength: number;
  /** Of its local header. */
  readonly offset: number;
}

const signature = { local: 0x04034b50, entry: 0x02014b50, end: 0x06054b50, end64: 0x06064b50 } as const;
/** The end record, and behind it a comment of at most 64 KiB. */
const endLength = 22;
const maxEnd = endLength + 0xffff;
/** Of the directory; a million files have less. */
const maxDirectory = 256 * 2 ** 20;
const maxU32 = 0xffffffff;

/** Reads a zip archive on disk by its directory: any file, in any order, as a stream, whatever lies between. */
export class ZipArchive {
  readonly #file: Blob;
  readonly #entries: ReadonlyMap<string, Entry>;

  private constructor(file: Blob, entries: ReadonlyMap<string, Entry>) {
    this.#file = file;
    this.#entries = entries;
  }

  /** Throws `not-an-image` for a file that is no zip archive, or one that was cut off. */
  static async open(file: Blob): Promise<ZipArchive> {
    const tailStart = Math.max(0, file.size - maxEnd);
    const tail = await viewOf(file.slice(tailStart));
    for (let at = tail.byteLength - endLength; at >= 0; at--) {
      if (tail.getUint32(at, true) !== signature.end) continue;
      if (at + endLength + tail.getUint16(at + 20, true) !== tail.byteLength) continue;
      const { size, offset } = await directoryPlace(file, tail, at, tailStart);
      if (size > maxDirectory || offset + size > file.size) break;
      return new ZipArchive(file, readDirectory(await viewOf(file.slice(offset, offset + size))));
    }
    throw notZip('it has no directory at its end: is it whole?');
  }

  get names(): IterableIterator<string> {
    return this.#entries.keys();
  }

  /** The bytes of a file. Throws `ENOENT`; `not-an-image` for a file that is encrypted, or compressed in a way that browsers do not know. */
  async read(name: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const entry = this.#entries.get(name);
    if (!entry) throw new SluiceError('ENOENT', `The archive has no "${name}"`, { path: name });
    const { offset, storedLength, method } = entry;
    const header = await viewOf(this.#file.slice(offset, offset + 30));
    if (header.byteLength < 30 || header.getUint32(0, true) !== signature.local)
      throw notZip(`"${name}" is not where its directory says`);
    if (header.getUint16(6, true) & 1) throw notZip(`"${name}" is encrypted`);
    const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
    const bytes = this.#file.slice(start, start + storedLength).stream() as ReadableStream<
      Uint8Array<ArrayBuffer>
    >;
    if (method === 0) return bytes;
    if (method === 8) return bytes.pipeThrough(new DecompressionStream('deflate-raw'));
    throw notZip(`"${name}" is compressed by method ${method}; make the archive with deflate, or without`);
  }
}

/** Where the directory is, by the end record at `at`, or by the one of zip64 that it refers to. */
async function directoryPlace(
  file: Blob,
  tail: DataView,
  at: number,
  tailStart: number,
): Promise<{ readonly size: number; readonly offset: number }> {
  const size = tail.getUint32(at + 12, true);
  const offset = tail.getUint32(at + 16, true);
  const count = tail.getUint16(at + 10, true);
  if (count < 0xffff && size < maxU32 && offset < maxU32) return { size, offset };
  // The locator stands right before the end record.
  const locator = await viewOf(file.slice(tailStart + at - 20, tailStart + at));
  if (locator.byteLength < 20) throw notZip('it is cut off');
  const end = Number(locator.getBigUint64(8, true));
  const record = await viewOf(file.slice(end, end + 56));
  if (record.byteLength < 56 || record.getUint32(0, true) !== signature.end64) throw notZip('it is cut off');
  return { size: Number(record.getBigUint64(40, true)), offset: Number(record.getBigUint64(48, true)) };
}

function readDirectory(view: DataView<ArrayBuffer>): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  for (let at = 0; at + 46 <= view.byteLength; ) {
    if (view.getUint32(at, true) !== signature.entry) break;
    const nameLength = view.getUint16(at + 28, true);
    const extraStart = at + 46 + nameLength;
    const extraEnd = extraStart + view.getUint16(at + 30, true);
    const end = extraEnd + view.getUint16(at + 32, true);
    if (end > view.byteLength) throw notZip('its directory is cut off');
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + 46, nameLength));
    const sizes = [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ];
    const [, storedLength, offset] = wideSizes(sizes, view, extraStart, extraEnd);
    entries.set(name, {
      method: view.getUint16(at + 10, true),
      storedLength: storedLength!,
      offset: offset!,
    });
    at = end;
  }
  return entries;
}

/** Length, stored length and offset; each that has no room in 32 bits stands in the extra field of zip64, in this order. */
function wideSizes(sizes: readonly number[], view: DataView, start: number, end: number): readonly number[] {
  if (!sizes.includes(maxU32)) return sizes;
  for (let at = start; at + 4 <= end; ) {
    const next = at + 4 + view.getUint16(at + 2, true);
    if (view.getUint16(at, true) !== 1) {
      at = next;
      continue;
    }
    let wide = at + 4;
    return sizes.map((size) => {
      if (size !== maxU32) return size;
      if (wide + 8 > Math.min(next, end)) throw notZip('its directory is damaged');
      wide += 8;
      return Number(view.getBigUint64(wide - 8, true));
    });
  }
  throw notZip('its directory is damaged');
}

async function viewOf(part: Blob): Promise<DataView<ArrayBuffer>> {
  return new DataView(await part.arrayBuffer());
}

function notZip(why: string): SluiceError {
  return new SluiceError('not-an-image', `This file is no archive that can be read: ${why}`);
}
