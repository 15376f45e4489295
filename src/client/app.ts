import { deferred } from '../protocol/deferred.ts';
import type { ReleaseRecord, ServiceWorkerToPage } from '../protocol/messages.ts';
import { guardCaches } from './cache-guard.ts';
import { Launch } from './launch.ts';
import { loaded } from './loaded.ts';
import { LoaderProcess } from './loader-process.ts';
import { sleepWithPage } from './page-life.ts';
import { guardRegistrations } from './registration-rule.ts';
import { ReloadGuard } from './reload-guard.ts';
import {
  announceRelease,
  brokerPort,
  controllerOf,
  mappingCounts,
  sendReadTimeout,
  stayAwake,
  workboxOf,
} from './service-worker-link.ts';
import type { Site } from './site.ts';
import { Sluice } from './sluice.ts';

/** A tab that stays open for days still hears of a new service worker. */
const updateEveryMs = 60 * 60 * 1000;

/** From the load event to the start of a loader that has no part in the launch. */
const afterLaunchMs = 2000;

export interface AppPage {
  /** The loader that has brought it here. */
  readonly launched?: LoaderProcess;
  /** Nothing of the image is missing: the loader, which has no part in this launch then, begins behind it. */
  readonly isWhole?: boolean;
  /** What the service worker answers this page from, whatever is released meanwhile: each life of the loader works on it, also offline. */
  readonly release?: ReleaseRecord;
}

/** An app's page: `window.sluice`, a loader of its own, and ports from it to the service worker. */
export function runApp(site: Site, { launched, isWhole = false, release }: AppPage): void {
  if (window.sluice !== undefined) return;
  const container = navigator.serviceWorker;
  guardRegistrations(container, site.scope);
  guardCaches(site.scope);
  const outer = sluiceOfParent(site);
  if (outer !== undefined) {
    launched?.end();
    define(outer);
    return;
  }
  new ReloadGuard(sessionStorage, site.scope).reset();

  const loader =
    launched ??
    new LoaderProcess({
      script: site.loader,
      options: () => ({ scope: site.scope, ...(release === undefined ? {} : { release }) }),
    });
  const { promise: begun, resolve: begins } = deferred();
  const sluice = new Sluice(site.scope, loader, new Launch(loader, begun, isWhole), {
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
  sleepWithPage(loader);
  loader.tell({
    onProgress: (progress) => sluice.dispatchEvent(new CustomEvent('progress', { detail: progress })),
    onRelease: (release, isGone) => {
      const worker = controllerOf(site);
      if (worker !== undefined) announceRelease(worker, release);
      sluice.released({ image: release.image, isGone });
    },
    onBegin: () => {
      begins();
      broker();
    },
  });
  if (loader.begun) begins();

  const broker = (): void => {
    const worker = controllerOf(site);
    if (worker === undefined) return;
    sendReadTimeout(worker, sluice.readTimeoutMs);
    if (!loader.begun) return;
    brokerPort(loader, worker).catch((error) => console.info('sluice: the loader gave no port:', error));
  };
  if (launched) {
    launched
      .call('launched', (api) => api.launched())
      .catch((error) => console.info('sluice: background work may disturb this launch:', error));
  }
  container.addEventListener('controllerchange', () => {
    if (container.controller === null) void comeBack(site, release);
    else broker();
  });
  container.addEventListener('message', ({ data }: MessageEvent<ServiceWorkerToPage | undefined>) => {
    const worker = controllerOf(site);
    if (data?.type === 'sluice:stay-awake' && worker) stayAwake(worker);
    if (data?.type !== 'sluice:need-loader-port') return;
    if (data.waiting && !loader.begun) loader.begin();
    else broker();
  });
  // Messages are held back until the page is parsed otherwise, and the worker asks for the port before that.
  container.startMessages();
  addEventListener('pageshow', (event) => {
    if (event.persisted) broker();
  });
  // The last chance that a page gets to say something.
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState !== 'hidden' || !loader.begun) return;
    loader
      .call('flush', (api) => api.flush())
      .catch((error) => console.info('sluice: not all is stored:', error));
  });
  keepUpdated(site);
  if (isWhole) void afterLaunch(() => loader.begin());
  else loader.begin();
}

/** A launch takes a moment longer than its page. */
async function afterLaunch(work: () => void): Promise<void> {
  await loaded();
  setTimeout(work, afterLaunchMs);
}

/**
 * The service worker is gone from under the page: its visitor has cleared the site's data. It is brought back, with the release that this page began with,
 * since the server may have another one by now.
 */
async function comeBack(site: Site, release: ReleaseRecord | undefined): Promise<void> {
  try {
    const registration = await workboxOf(site).register({ immediate: true });
    const worker = registration?.installing ?? registration?.waiting ?? registration?.active;
    if (worker && release) announceRelease(worker, release);
  } catch (error) {
    console.warn('sluice: the service worker is gone; reload the page to bring it back:', error);
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
  const workbox = workboxOf(site);
  const quietly = (error: unknown): void => console.info('sluice: no news of the service worker:', error);
  // Waits for the page's load event by itself, so that it is in nobody's way.
  workbox.register().then(() => {
    setInterval(() => workbox.update().catch(quietly), updateEveryMs);
  }, quietly);
}
