import type { BrowserContext, Request } from '@playwright/test';

/** What the service worker gave to a page or to one of its workers. */
export interface Delivery {
  /** Path below the site's root, decoded; '' for the root itself. */
  readonly path: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly contentRange: string | undefined;
  readonly body: Buffer;
}

/**
 * Collects every answer of the service worker that the pages of a context took to its end, and its bytes as the browser handed them on. Media
 * elements are left out: the browser gives nobody what they got.
 */
export class Deliveries {
  readonly #context: BrowserContext;
  readonly #root: string;
  readonly #all: Promise<Delivery | undefined>[] = [];

  /** `root`: URL of the site, with a trailing slash. */
  constructor(context: BrowserContext, root: string) {
    this.#context = context;
    this.#root = root;
    context.on('requestfinished', this.#onFinished);
  }

  /** Collects no more; resolves to those so far. */
  async end(): Promise<Delivery[]> {
    this.#context.off('requestfinished', this.#onFinished);
    return (await Promise.all(this.#all)).filter((delivery) => delivery !== undefined);
  }

  readonly #onFinished = (request: Request): void => {
    this.#all.push(this.#take(request));
  };

  async #take(request: Request): Promise<Delivery | undefined> {
    const response = await request.response();
    if (!response?.fromServiceWorker() || request.resourceType() === 'media') return undefined;
    // The loader copies code: the app does not get that, and the browser does not show it.
    if (request.headers().referer?.endsWith('/__sluice/loader.js')) return undefined;
    const url = new URL(response.url());
    const headers = response.headers();
    return {
      path: decodeURIComponent((url.origin + url.pathname).slice(this.#root.length)),
      status: response.status(),
      contentType: headers['content-type'],
      contentRange: headers['content-range'],
      body: await response.body(),
    };
  }
}
