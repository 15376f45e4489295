/** What a fetch event tells of who asks. */
export interface FetchFacts {
  readonly clientId: string;
  readonly request: Pick<Request, 'mode' | 'destination' | 'referrer'>;
}

/** The part of a Client that is looked at. */
type WindowFacts = Pick<WindowClient, 'id' | 'url' | 'frameType'>;

/**
 * The id of the client whose version of the app answers; '' = that of new pages. A page in a frame belongs to the tab that it appears in,
 * which the platform does not tell: it gives the initiator only where a page of ours navigates itself (a link inside the frame).
 * `windows` are the pages of the scope that are open, the one last used first. The referrer tells the page around, unless that page has
 * changed its address since; then the last used tab is the best guess.
 */
export function readerOf(
  { clientId, request }: FetchFacts,
  scope: string,
  windows: readonly WindowFacts[],
): string {
  if (request.mode === 'navigate' && !isNested(request)) return '';
  if (request.mode !== 'navigate' || clientId !== '') return clientId;
  if (!request.referrer.startsWith(scope)) return ''; // Another site's frame, or not told.
  const byAddress = windows.find(({ url }) => withoutFragment(url) === request.referrer);
  return (byAddress ?? windows.find(({ frameType }) => frameType === 'top-level'))?.id ?? '';
}

/** A navigation inside of another page. */
export function isNested({ mode, destination }: FetchFacts['request']): boolean {
  return mode === 'navigate' && destination !== 'document';
}

function withoutFragment(url: string): string {
  return url.split('#', 1)[0]!;
}
