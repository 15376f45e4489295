/** Static routing, which not every engine has and TypeScript's library does not know yet. */
interface RoutingInstallEvent {
  addRoutes?(rules: readonly Rule[]): Promise<void>;
}

interface Rule {
  readonly condition:
    | { readonly requestMode: 'navigate' }
    | { readonly urlPattern: { readonly pathname: string; readonly search: string } };
  readonly source: 'fetch-event' | { readonly cacheName: string };
}

/**
 * Tells the browser what it need not ask this worker, as far as that can be told when it is installed.
 *
 * Navigations are this worker's to answer. Without saying so Chromium (ServiceWorkerAutoPreload, seen in 156) asks the network as well for each
 * navigation that finds the worker stopped: a request a launch that nobody needs, and with the server gone, a navigation that is not ours never ends.
 *
 * `clientUrl` is our own script in our own cache: it is the same as long as this worker is. Where the cache has lost it, the network is asked, whatever it has;
 * so its tag says what it must be, and the loader's script, which no tag brings, has no rule. What the app's files are answered from depends on
 * the image, which changes, and on the version of the tab, so no rule can say it.
 *
 * Settles when the browser has taken the rules or refused them; never rejects.
 */
export async function addStaticRoutes(
  event: ExtendableEvent,
  cacheName: string,
  clientUrl: string,
): Promise<void> {
  const pathname = new URL(clientUrl).pathname.replace(/[\\{}()*+?:]/g, '\\$&'); // In a pattern they mean something.
  const client: Rule = { condition: { urlPattern: { pathname, search: '' } }, source: { cacheName } };
  try {
    const navigations: Rule = { condition: { requestMode: 'navigate' }, source: 'fetch-event' };
    await (event as RoutingInstallEvent).addRoutes?.([navigations, client]);
  } catch (error) {
    // An engine whose static routing has another form. It costs a request a launch there, nothing else that we know of.
    console.info('sluice: static routing was refused', error);
  }
}
