/** What a fetch event tells of who asks. */
export interface FetchFacts {
  readonly clientId: string;
  readonly request: Pick<Request, 'mode' | 'destination' | 'referrer'>;
}

/** What can be found out about the pages and workers that are open. */
export interface Surroundings {
  /** The client that asks. */
  readonly asking: Pick<Client, 'url'> | undefined;
  /** The pages of the scope that are open, the one last used first. */
  readonly windows: readonly Pick<WindowClient, 'id' | 'url' | 'frameType'>[];
}

/**
 * The id of the client whose version of the app answers; '' = that of new pages. A page in a frame belongs to the tab that it appears in,
 * and so do a worker from a blob: URL and a page without an address (about:srcdoc); the platform does not tell which that is. It gives the
 * initiator of a navigation only where a page of ours navigates itself (a link inside the frame). The referrer tells the page around,
 * unless that page has changed its address since, or does not say; then the last used tab is the best guess.
 */
export function readerOf(
  { clientId, request }: FetchFacts,
  scope: string,
  { asking, windows }: Surroundings,
): string {
  const { mode, referrer } = request;
  if (mode === 'navigate') {
    if (!isNested(request)) return '';
    if (clientId !== '') return clientId;
    if (!referrer.startsWith(scope)) return ''; // Another site's frame, or not told.
  } else if (!asking || /^https?:/.test(asking.url)) return clientId;
  const around = windows.find(({ url }) => withoutFragment(url) === referrer);
  return (around ?? windows.find(({ frameType }) => frameType === 'top-level'))?.id ?? '';
}

/** A navigation inside of another page. */
export function isNested({ mode, destination }: FetchFacts['request']): boolean {
  return mode === 'navigate' && destination !== 'document';
}

function withoutFragment(url: string): string {
  return url.split('#', 1)[0]!;
}
