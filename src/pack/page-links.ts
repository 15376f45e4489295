/** Elements whose files a page loads by itself; what `<a>` points to comes later, if ever. */
const tag = /<(?:script|link|img|iframe)\b(?:"[^"]*"|'[^']*'|[^"'>])*>/gi;
const target = /\s(?:src|href)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i;

/** Stands for wherever the app will be published; a path that begins with a slash is taken to mean the app's root. */
const root = 'http://app.invalid/';

/**
 * Paths in the app that the page at `path` loads by its own markup, in the order of the markup, some perhaps twice or not there. A guess
 * for the order of storing, nothing else: it looks at tags by pattern, knows no `<base>`, and passes over what it cannot read.
 */
export function pageLinks(html: Uint8Array, path: string): string[] {
  const page = new URL(encodeURI(path), root);
  const links: string[] = [];
  for (const [element] of new TextDecoder().decode(html).matchAll(tag)) {
    const [, double, single, bare] = target.exec(element) ?? [];
    const link = resolve((double ?? single ?? bare ?? '').trim(), page);
    if (link !== undefined) links.push(link);
  }
  return links;
}

function resolve(reference: string, page: URL): string | undefined {
  if (reference === '' || !URL.canParse(reference, page)) return undefined;
  const url = new URL(reference, page);
  if (url.origin !== page.origin) return undefined;
  try {
    return decodeURIComponent(url.pathname.slice(1));
  } catch {
    return undefined; // No UTF-8 behind the percent signs: no file of ours.
  }
}
