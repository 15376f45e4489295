import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SluiceError } from '../format/errors.ts';
import { notFoundPage } from '../pack/boot-page.ts';
import { mediaType } from '../pack/media-type.ts';
import { nodeCode } from '../pack/node-error.ts';
import { parseByteRange } from './byte-range.ts';
import { requestPath } from './request-path.ts';

export interface SiteServerOptions {
  readonly directory: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Path below which the site lies, with a slash at both ends. */
  readonly prefix: string;
}

export interface SiteServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a directory on 127.0.0.1, for trying a site. Throws `EADDRINUSE`, `EACCES`, `ENOENT`. */
export async function startSiteServer({ directory, port, prefix }: SiteServerOptions): Promise<SiteServer> {
  const root = await realpath(directory);
  const server = createServer((request, response) => {
    answer(root, prefix, request, response).catch((error: unknown) => fail(response, error));
  });
  await listen(server, port);
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${actual}${encodeURI(prefix)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const code = nodeCode(cause);
      const known = code === 'EADDRINUSE' || code === 'EACCES' ? code : 'unreadable';
      const why =
        code === 'EADDRINUSE' ? `port ${port} is in use` : `cannot listen on port ${port}: ${cause.message}`;
      reject(new SluiceError(known, why, { cause }));
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

async function answer(
  root: string,
  prefix: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method, url = '' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return plain(response, 405, 'Only GET and HEAD are answered here.');
  }
  const names = requestPath(url);
  if (names === undefined) return plain(response, 400, 'This is not a path.');
  const inside = belowPrefix(names, prefix);
  if (inside === undefined) {
    if (`/${names.join('/')}/` === prefix) return redirect(response, url);
    return plain(response, 404, `Nothing is here; the site is at ${prefix}`);
  }
  const found = await find(root, inside);
  if (found === 'redirect') return redirect(response, url);
  if (found === undefined) return notFound(root, request, response);
  try {
    await send(found, inside.at(-1) || 'index.html', request, response);
  } finally {
    await found.close();
  }
}

/** With the site's own page for it where it has one, as many hosts do. */
async function notFound(root: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const page = await find(root, [notFoundPage]);
  if (page === undefined || page === 'redirect')
    return plain(response, 404, 'There is no such file in the site.');
  try {
    const body = await page.readFile();
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('Content-Length', body.length);
    response.writeHead(404).end(request.method === 'HEAD' ? undefined : body);
  } finally {
    await page.close();
  }
}

function belowPrefix(names: readonly string[], prefix: string): readonly string[] | undefined {
  const above = prefix.split('/').slice(1, -1);
  if (names.length <= above.length || above.some((name, i) => names[i] !== name)) return undefined;
  return names.slice(above.length);
}

/** The open file; `redirect` for a directory that was asked for without its slash. */
async function find(root: string, names: readonly string[]): Promise<FileHandle | 'redirect' | undefined> {
  const isDirectory = names.at(-1) === '';
  try {
    const path = await realpath(join(root, ...names, isDirectory ? 'index.html' : ''));
    // A link may lead anywhere; what it leads to must be in the site too.
    if (path !== root && !path.startsWith(root + sep)) return undefined;
    const stats = await stat(path);
    if (stats.isDirectory()) return isDirectory ? undefined : 'redirect';
    return stats.isFile() ? await open(path, 'r') : undefined;
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].includes(nodeCode(error) ?? '')) return undefined;
    throw error;
  }
}

async function send(
  file: FileHandle,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { size, mtimeMs } = await file.stat();
  const digest = /^([0-9a-f]{64})\.bin$/.exec(name)?.[1];
  const etag =
    digest === undefined
      ? `"${size.toString(36)}-${Math.round(mtimeMs * 1000).toString(36)}"`
      : `"${digest}"`;
  const type = mediaType(name);
  response.setHeader('Content-Type', type.startsWith('text/') ? `${type}; charset=utf-8` : type);
  response.setHeader('ETag', etag);
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader(
    'Cache-Control',
    digest === undefined ? 'no-cache' : 'public, max-age=31536000, immutable',
  );
  const { 'if-none-match': known, 'if-range': condition, range: rangeHeader } = request.headers;
  if (known !== undefined && matches(known, etag)) {
    response.writeHead(304).end();
    return;
  }
  const asked = request.method === 'GET' && rangeHeader !== undefined && (condition ?? etag) === etag;
  const range = asked ? parseByteRange(rangeHeader, size) : undefined;
  if (range === 'unsatisfiable') {
    response.setHeader('Content-Range', `bytes */${size}`);
    return plain(response, 416, 'The range lies behind the end.');
  }
  const { start, end } = range ?? { start: 0, end: size };
  if (range !== undefined) response.setHeader('Content-Range', `bytes ${start}-${end - 1}/${size}`);
  response.setHeader('Content-Length', end - start);
  response.writeHead(range === undefined ? 200 : 206);
  if (request.method === 'HEAD' || start === end) {
    response.end();
    return;
  }
  // The stream's `end` is inclusive.
  await pipeline(file.createReadStream({ start, end: end - 1, autoClose: false }), response);
}

function matches(header: string, etag: string): boolean {
  return header.trim() === '*' || header.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}

/** To the same path with a slash; relative, so that it is right behind any proxy. */
function redirect(response: ServerResponse, url: string): void {
  const [path = '', query] = url.split(/(?=\?)/, 2);
  response.setHeader('Location', `./${path.slice(path.lastIndexOf('/') + 1)}/${query ?? ''}`);
  plain(response, 301, 'The directory has a slash at its end.');
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.setHeader('Cache-Control', 'no-cache');
  response.removeHeader('ETag');
  response.setHeader('Content-Length', Buffer.byteLength(text) + 1);
  response.writeHead(status).end(`${text}\n`);
}

/** A client that goes away in the middle is nothing to tell; a file that cannot be read is. */
function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  plain(response, 500, `The file cannot be read (${nodeCode(error) ?? 'unknown'}).`);
}
