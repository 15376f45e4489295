import { handleFetch } from './handle-fetch.ts';
import { handleMessage } from './handle-message.ts';
import type { RuntimeBuild } from './runtime-files.ts';
import { Site } from './site.ts';
import { addStaticRoutes } from './static-routes.ts';

declare const self: ServiceWorkerGlobalScope;
/** Put in by the build. */
declare const __SLUICE_RUNTIME__: RuntimeBuild;

const site = new Site(self.registration.scope, __SLUICE_RUNTIME__, self);

// Started again: the event that did it comes only when all of this script has run. (While the first one is installed, its loader makes the store.)
if (self.registration.active) {
  site.prepare().catch((error: unknown) => console.info('sluice: not prepared', error));
}

self.addEventListener('install', (event) => {
  const { cacheName, clientUrl } = site.runtimeFiles;
  event.waitUntil(addStaticRoutes(event, cacheName, clientUrl));
  const updates = self.registration.active !== null;
  if (updates) {
    // It takes over when the tabs of the one before it are closed, with all of its files or not at all.
    event.waitUntil(site.bringRuntime());
  } else {
    // The launch waits for the first one.
    void self.skipWaiting();
    // From the HTTP cache, mostly: the boot page has just had them. The rest comes when the image is complete.
    site.runtimeFiles
      .bring('launch')
      .catch((error: unknown) => console.info('sluice: fetched when asked for', error));
  }
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    Promise.all([self.clients.claim(), site.releases.reload(), site.runtimeFiles.retireOthers()]),
  );
});

self.addEventListener('fetch', (event) => handleFetch(site, event));
self.addEventListener('message', (event) => handleMessage(site, event));
