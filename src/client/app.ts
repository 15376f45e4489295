import { get } from 'idb-keyval';
import { Workbox } from 'workbox-window';
import type { LoaderOptions } from '../protocol/loader-api.ts';
import { type ReleaseRecord, releaseSettingName, type ServiceWorkerToPage } from '../protocol/messages.ts';
import { LoaderProcess } from './loader-process.ts';
import { guardRegistrations } from './registration-rule.ts';
import { ReloadGuard } from './reload-guard.ts';
import {
  announceRelease,
  brokerPort,
  controllerOf,
  mappingCounts,
  sendReadTimeout,
} from './service-worker-link.ts';
import type { Site } from './site.ts';
import { Sluice } from './sluice.ts';

/** A tab that stays open for days still hears of a new service worker. */
const updateEveryMs = 60 * 60 * 1000;

declare global {
  interface Window {
    sluice?: Sluice;
  }
}

/** An app's page: `window.sluice`, a loader of its own, and ports from it to the service worker. `launched`: the loader that has brought it here. */
export function runApp(site: Site, launched?: LoaderProcess): void {
  if (window.sluice !== undefined) return;
  const container = navigator.serviceWorker;
  guardRegistrations(container, { script: site.serviceWorker, scope: site.scope });
  const outer = sluiceOfParent(site);
  if (outer !== undefined) {
    launched?.end();
    define(outer);
    return;
  }
  new ReloadGuard(sessionStorage, site.scope).reset();

  const loader = launched ?? new LoaderProcess({ script: site.loader, options: () => loaderOptions(site) });
  const sluice = new Sluice(site.scope, loader, {
    setReadTimeout: (ms) => {
      // The service worker reads for the app; each of its requests to the loader brings its own deadline.
      const worker = controllerOf(site);
      if (worker !== undefined) sendReadTimeout(worker, ms);
    },
    mappings: async () => {
      const worker = controllerOf(site);
      return worker && mappingCounts(worker);
    },
  });
  define(sluice);
  loader.tell({
    onProgress: (progress) => sluice.dispatchEvent(new CustomEvent('progress', { detail: progress })),
    onRelease: (release) => {
      const worker = controllerOf(site);
      if (worker !== undefined) announceRelease(worker, release);
    },
    onBegin: () => broker(),
  });

  const broker = (): void => {
    const worker = controllerOf(site);
    if (worker === undefined) return;
    sendReadTimeout(worker, sluice.readTimeoutMs);
    brokerPort(loader, worker).catch((error) => console.info('sluice: the loader gave no port:', error));
  };
  if (launched) {
    launched
      .call('launched', (api) => api.launched())
      .catch((error) => console.info('sluice: background work may disturb this launch:', error));
  }
  container.addEventListener('controllerchange', broker);
  container.addEventListener('message', ({ data }: MessageEvent<ServiceWorkerToPage | undefined>) => {
    if (data?.type === 'sluice:need-loader-port') broker();
  });
  // Messages are held back until the page is parsed otherwise, and the worker asks for the port before that.
  container.startMessages();
  addEventListener('pageshow', (event) => {
    if (event.persisted) broker();
  });
  // The last chance that a page gets to say something.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'hidden') return;
    loader
      .call('flush', (api) => api.flush())
      .catch((error) => console.info('sluice: not all is stored:', error));
  });
  keepUpdated(site);
}

/** The image that the service worker answers from, so that page and worker agree and an offline start needs no `sluice.json`. */
async function loaderOptions(site: Site): Promise<LoaderOptions> {
  try {
    const release = await get<ReleaseRecord>(releaseSettingName(site.scope));
    return { scope: site.scope, ...(release === undefined ? {} : { release }) };
  } catch (error) {
    console.info('sluice: no settings in this browser; asking the server for the release:', error);
    return { scope: site.scope };
  }
}

/** A frame inside an app's page shares its loader: one per tab is enough. */
function sluiceOfParent(site: Site): Sluice | undefined {
  try {
    return window.parent !== window && window.parent.location.href.startsWith(site.scope)
      ? window.parent.sluice
      : undefined;
  } catch {
    return undefined; // Another origin's page around us: it has nothing to share.
  }
}

function define(sluice: Sluice): void {
  Object.defineProperty(window, 'sluice', { value: sluice, configurable: true, enumerable: false });
}

function keepUpdated(site: Site): void {
  const workbox = new Workbox(site.serviceWorker, { scope: site.scope, updateViaCache: 'none' });
  const quietly = (error: unknown): void => console.info('sluice: no news of the service worker:', error);
  // Waits for the page's load event by itself, so that it is in nobody's way.
  workbox.register().then(() => {
    setInterval(() => workbox.update().catch(quietly), updateEveryMs);
  }, quietly);
}
