import { addPlugins, type PrecacheEntry, precacheAndRoute } from 'workbox-precaching';
import { answerRange } from './answer-range.ts';

declare const self: {
  /** Put in when the app is published. */
  readonly __WB_MANIFEST: (PrecacheEntry | string)[];
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  addEventListener(
    type: 'activate',
    listener: (event: { waitUntil(promise: Promise<void>): void }) => void,
  ): void;
};

// What workbox-range-requests does: without it, an app that reads by range could not run from a precache.
addPlugins([
  { cachedResponseWillBeUsed: async ({ request, cachedResponse }) => answerRange(request, cachedResponse) },
]);
precacheAndRoute(self.__WB_MANIFEST);
self.skipWaiting();
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));
