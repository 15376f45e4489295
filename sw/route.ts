import { zstdWasmFile } from '../src/codec/zstd-wasm.ts';
import type { Image } from '../src/image/image.ts';

/** What routing needs to know of a request. */
export interface RequestFacts {
  readonly method: string;
  /** `Request.mode`. */
  readonly mode: string;
  readonly url: string;
}

/** The part of an image that routing asks. */
export type RoutingImage = Pick<Image, 'lookup' | 'inode' | 'fallback'>;

export type Route =
  /** Not ours: the network answers, as if there were no service worker. */
  | { readonly to: 'network' }
  /** One of our own files below `__sluice/`. */
  | { readonly to: 'runtime'; readonly name: string }
  /** Answer with this file. `path` is decoded, for people. */
  | { readonly to: 'file'; readonly inode: number; readonly path: string }
  /** A directory without its slash. An absolute path with the query. */
  | { readonly to: 'redirect'; readonly location: string }
  /** Only the image can tell, and none was given. */
  | { readonly to: 'undecided' };

/** The folder of our own files, at the root of the scope. */
export const runtimeFolder = '__sluice/';

/** What lies in it: everything that a launch needs besides the app and the service worker. The decoder is for images with zstd, see zstd.ts. */
export const runtimeFiles: readonly string[] = ['client.js', 'loader.js', 'icon.svg', zstdWasmFile];

/** The inspector, which is brought when somebody opens it. */
const inspectorFiles: readonly string[] = ['index.html', 'inspector.js'];

const network: Route = { to: 'network' };

/**
 * Decides what a request is about. Pure and quick: it runs before `respondWith`, for every request of the app.
 *
 * `scope` is the URL of the site directory with its trailing slash. Without `image`, everything that needs one is
 * 'undecided'.
 */
export function route(request: RequestFacts, scope: string, image: RoutingImage | undefined): Route {
  if (request.method !== 'GET' && request.method !== 'HEAD') return network;
  const url = new URL(request.url);
  const root = new URL(scope);
  if (url.origin !== root.origin || !url.pathname.startsWith(root.pathname)) return network;
  const rawPath = url.pathname.slice(root.pathname.length);
  if (rawPath.startsWith(runtimeFolder)) {
    const name = rawPath.slice(runtimeFolder.length) || 'index.html';
    const isOurs = runtimeFiles.includes(name) || inspectorFiles.includes(name);
    return request.method === 'GET' && isOurs ? { to: 'runtime', name } : network;
  }
  if (isPublishedFile(rawPath)) return network;
  const path = decodePath(rawPath);
  if (path === undefined) return network;
  if (image === undefined) return { to: 'undecided' };
  return find(path, url, image) ?? fallback(request, path, image) ?? network;
}

/** The release pointer, bootstraps and blobs: the loader fetches them through us, and an app cannot have files of these names. */
function isPublishedFile(rawPath: string): boolean {
  return rawPath === 'sluice.json' || /^[0-9a-f]{64}\.bin$/.test(rawPath);
}

/**
 * The path below the scope, percent-decoded exactly once. Undefined for what can name no file: bytes that are not UTF-8, an encoded
 * slash, backslash or NUL, empty components, dots. A trailing slash stays.
 */
export function decodePath(rawPath: string): string | undefined {
  const components: string[] = [];
  for (const raw of rawPath.split('/')) {
    let component: string;
    try {
      component = decodeURIComponent(raw);
    } catch {
      return undefined; // Broken encoding is an answer, not a failure: no file has this name.
    }
    if (/[/\\\0]/.test(component) || component === '.' || component === '..') return undefined;
    components.push(component);
  }
  // Only the last component may be empty: the directory itself.
  return components.slice(0, -1).includes('') ? undefined : components.join('/');
}

function find(path: string, url: URL, image: RoutingImage): Route | undefined {
  const isDirectoryPath = path === '' || path.endsWith('/');
  const inode = image.lookup(isDirectoryPath ? path.slice(0, -1) : path);
  if (inode === undefined) return undefined;
  if (image.inode(inode).kind === 'file') {
    return isDirectoryPath ? undefined : { to: 'file', inode, path };
  }
  const indexPath = `${path}${isDirectoryPath ? '' : '/'}index.html`;
  const index = image.lookup(indexPath);
  if (index === undefined || image.inode(index).kind !== 'file') return undefined;
  if (isDirectoryPath) return { to: 'file', inode: index, path: indexPath };
  return { to: 'redirect', location: `${url.pathname}/${url.search}` };
}

/** A single-page app's own paths: every navigation to an unknown one gets its entry page. */
function fallback(request: RequestFacts, path: string, image: RoutingImage): Route | undefined {
  if (request.mode !== 'navigate' || image.fallback === undefined) return undefined;
  return { to: 'file', inode: image.fallback, path };
}
