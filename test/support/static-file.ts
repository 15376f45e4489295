import { type FileHandle, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import mime from 'mime';
import type { ByteRange } from './byte-range.ts';

const CHUNK = 64 * 1024;

/** A file that a static server answers with. */
export interface StaticFile {
  readonly path: string;
  readonly size: number;
  readonly mtime: Date;
  readonly type: string;
  readonly etag: string;
}

/** What a URL path names below the mounts: a file, a directory asked for without its slash, or an error status. */
export type Lookup =
  | { readonly file: StaticFile }
  | { readonly redirect: string }
  | { readonly status: number };

/**
 * Finds what the raw (still percent-encoded) URL path names, as nginx does: the longest matching prefix wins,
 * `dir` is redirected to `dir/`, `dir/` is its index.html or else 403.
 */
export async function lookup(mounts: ReadonlyMap<string, string>, rawPath: string): Promise<Lookup> {
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    return { status: 400 };
  }
  if (path.includes('\0') || path.split('/').includes('..')) return { status: 400 };

  const prefixes = [...mounts.keys()].sort((a, b) => b.length - a.length);
  if (prefixes.includes(`${path}/`)) return { redirect: `${rawPath}/` };
  const prefix = prefixes.find((candidate) => path.startsWith(candidate));
  if (prefix === undefined) return { status: 404 };
  const target = join(mounts.get(prefix)!, path.slice(prefix.length));
  const found = await statOrUndefined(target);
  if (!found) return { status: 404 };
  if (!found.isDirectory())
    return path.endsWith('/') ? { status: 404 } : { file: toStaticFile(target, found) };
  if (!path.endsWith('/')) return { redirect: `${rawPath}/` };
  const index = join(target, 'index.html');
  const foundIndex = await statOrUndefined(index);
  return foundIndex?.isFile() ? { file: toStaticFile(index, foundIndex) } : { status: 403 };
}

/** The bytes of `range` of the file, in chunks. Fails when the file has become shorter. */
export async function* readRange(path: string, range: ByteRange): AsyncGenerator<Buffer> {
  const handle: FileHandle = await open(path);
  try {
    for (let position = range.start; position < range.end; ) {
      const want = Math.min(CHUNK, range.end - position);
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(want), 0, want, position);
      if (bytesRead === 0) throw new Error(`${path} ended at ${position}, before ${range.end}`);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** Whether a plain server with gzip switched on for all text-like types and wasm would compress this type. */
export function isCompressible(type: string): boolean {
  return /^(text\/|application\/(javascript|json|wasm|xml|manifest\+json)|image\/svg\+xml)/.test(type);
}

async function statOrUndefined(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

function toStaticFile(path: string, { size, mtime }: { size: number; mtime: Date }): StaticFile {
  const type = mime.getType(path) ?? 'application/octet-stream';
  const seconds = Math.floor(mtime.getTime() / 1000);
  return {
    path,
    size,
    mtime,
    type: /^text\//.test(type) ? `${type}; charset=utf-8` : type,
    // nginx's form: seconds and size, so two files of one size written within a second share a tag there as here.
    etag: `"${seconds.toString(16)}-${size.toString(16)}"`,
  };
}
