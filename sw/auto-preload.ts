/** Static routing, which not every engine has and TypeScript's library does not know yet. */
interface RoutingInstallEvent {
  addRoutes?(rule: {
    readonly condition: { readonly requestMode: 'navigate' };
    readonly source: 'fetch-event';
  }): Promise<void>;
}

/**
 * Says that navigations are this worker's to answer. Without it Chromium (ServiceWorkerAutoPreload, seen in 156) asks the network as
 * well for each navigation that finds the worker stopped: a request a launch that nobody needs, and with the server gone, a
 * navigation that is not ours never ends. Settles when the browser has taken the rule or refused it; never rejects.
 */
export async function declineAutoPreload(event: ExtendableEvent): Promise<void> {
  try {
    await (event as RoutingInstallEvent).addRoutes?.({
      condition: { requestMode: 'navigate' },
      source: 'fetch-event',
    });
  } catch (error) {
    // An engine whose static routing has another form. It costs a request a launch there, nothing else that we know of.
    console.info('sluice: static routing was refused', error);
  }
}
