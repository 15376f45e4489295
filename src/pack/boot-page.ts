import { SluiceError } from '../format/errors.ts';
import type { Release } from '../format/release.ts';
import { findSite } from './find-site.ts';

const bootMark = '{"release":null}';
const rootMark = '__SLUICE_ROOT__';
const imageMark = '__SLUICE_IMAGE__';
const firstBlobMark = '__SLUICE_FIRST_BLOB__';
/** With its line's end. */
const zstdPreload = /<link [^>]*zstd\.wasm[^>]*>\n/;
const links = /<link [^>]*>\n/g;
const end = '</body>';

/** The page that hosts answer unknown paths with, where a site has one. */
export const notFoundPage = '404.html';

/** What a boot page asks for. */
export interface Published {
  readonly release: Release;
  /** SHA-256 (hex) of the image's first blob; undefined where it has none. */
  readonly firstBlob: string | undefined;
  /** Whether the image needs the zstd decoder. */
  readonly zstd: boolean;
  /** Path of the page that answers unknown paths of a single-page app; undefined for other apps. */
  readonly fallback: string | undefined;
}

/**
 * The boot page for the app's page at `path`: the template with the way back to the site's root, the release, the first blob and the app's title filled in.
 * `title` is as {@link pageTitle} gives it.
 */
export function bootPage(
  template: string,
  path: string,
  { release, firstBlob, zstd, fallback }: Published,
  title: string | undefined,
): string {
  if (
    ![bootMark, rootMark, imageMark, firstBlobMark, end].every((mark) => template.includes(mark)) ||
    !zstdPreload.test(template)
  ) {
    throw new SluiceError(
      'no-runtime',
      'the boot page of the runtime is not one that this build can fill in',
    );
  }
  const root = '../'.repeat(path.split('/').length - 1);
  const boot = JSON.stringify({ release });
  let asked = zstd ? template : template.replace(zstdPreload, '');
  // It comes for any path: what it would ask for ahead lies elsewhere.
  if (path === notFoundPage) asked = asked.replaceAll(links, '');
  // Functions, since `$` in a replacement text has a meaning.
  const page = (path === notFoundPage || path === fallback ? asked.replace(end, () => findSite + end) : asked)
    .replace(bootMark, () => boot)
    .replace(imageMark, () => release.image)
    // Asking twice for one file costs nothing.
    .replace(firstBlobMark, () => firstBlob ?? release.image)
    .replaceAll(rootMark, () => root);
  if (title === undefined) return page;
  return page
    .replace(/(<title>)[^<]*(<\/title>)/, (_, open, close) => open + title + close)
    .replace(/(<h1 id="sluice-title">)[^<]*(<\/h1>)/, (_, open, close) => open + title + close);
}

/** How far into a page its title is looked for, in bytes. */
const titleReach = 65_536;

/** The title of a page, as text that can stand in HTML; undefined where it has none, or is not in UTF-8. */
export function pageTitle(html: Uint8Array): string | undefined {
  const head = new TextDecoder().decode(html.subarray(0, titleReach));
  const title = /<title[^>]*>([\s\S]*?)<\/title\s*>/i.exec(head)?.[1]?.replaceAll(/\s+/g, ' ').trim();
  // U+FFFD: bytes of another charset. References such as &amp; stand for the same in the boot page.
  if (!title || title.includes('\ufffd')) return undefined;
  return title.replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
