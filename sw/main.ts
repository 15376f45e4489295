import { handleFetch } from './handle-fetch.ts';
import { handleMessage } from './handle-message.ts';
import { Site } from './site.ts';

declare const self: ServiceWorkerGlobalScope;
/** Put in by the build: identifies the runtime files that belong to this worker. */
declare const __SLUICE_RUNTIME__: string;

const site = new Site(self.registration.scope, __SLUICE_RUNTIME__, self);

self.addEventListener('install', (event) => {
  const updates = self.registration.active !== null;
  // The first worker is what the launch waits for. A later one waits for the tabs of the one before it to close.
  if (!updates) event.waitUntil(self.skipWaiting());
  const kept = site.runtimeFiles.complete({ fresh: updates });
  // An update comes with all of its files or not at all; the first launch has them from the HTTP cache, or fetches them when asked.
  if (updates) event.waitUntil(kept);
  else kept.catch((error: unknown) => console.info('sluice: the runtime is not all kept yet', error));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([self.clients.claim(), site.runtimeFiles.retireOthers()]));
});

self.addEventListener('fetch', (event) => handleFetch(site, event));
self.addEventListener('message', (event) => handleMessage(site, event));
