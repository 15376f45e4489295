/** The addresses of one published site. */
export interface Site {
  /** Absolute URL of the site directory with a trailing slash: the service worker's scope. */
  readonly scope: string;
  readonly serviceWorker: string;
  readonly loader: string;
}

/** The site whose directory is `directory`: an absolute URL, with or without the trailing slash; query and fragment are dropped. */
export function siteAt(directory: string | URL): Site {
  const url = new URL(directory);
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  const scope = url.href;
  return { scope, serviceWorker: `${scope}sw.js`, loader: `${scope}__sluice/loader.js` };
}

/** The site that a `…/__sluice/client.js` belongs to. */
export function siteOfClient(clientScript: string): Site {
  return siteAt(new URL('../', clientScript));
}
