import type { Inode } from '../src/image/image.ts';

/** A strong tag. Injected HTML is another representation of the same file and so has another tag. */
export function etagOf(tag: string, injected: boolean): string {
  return `"${tag}${injected ? '-sluice' : ''}"`;
}

/** `bytes 0-99/256` for the half-open range, `bytes *\/256` without one. */
export function contentRange(size: number, range?: { readonly start: number; readonly end: number }): string {
  return `bytes ${range ? `${range.start}-${range.end - 1}` : '*'}/${size}`;
}

/** What every answer that stands for the representation says, 304 included. What we compute ourselves wins over the file's own headers. */
export function validatorHeaders(inode: Inode, etag: string, isolate: boolean): Headers {
  const headers = new Headers();
  for (const [name, value] of inode.headers) headers.append(name, value);
  headers.set('ETag', etag);
  headers.set('Accept-Ranges', 'bytes');
  if (isolate) addIsolation(headers);
  return headers;
}

/** The same and what describes the body: `length` bytes of it. */
export function entityHeaders(inode: Inode, etag: string, length: number, isolate: boolean): Headers {
  const headers = validatorHeaders(inode, etag, isolate);
  headers.set('Content-Type', inode.mime ?? 'application/octet-stream');
  headers.set('Content-Length', String(length));
  headers.delete('Content-Encoding'); // The bytes are as the app reads them.
  return headers;
}

/**
 * Makes documents cross-origin isolated, so that SharedArrayBuffer works on hosts that cannot send headers. Scripts of workers need
 * the second one as well; on other answers the first two mean nothing.
 */
export function addIsolation(headers: Headers): void {
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Embedder-Policy', 'require-corp');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
}
