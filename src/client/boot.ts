import { asSluiceError, SluiceError } from '../format/errors.ts';
import { withDeadline } from '../protocol/deadline.ts';
import type { ReleaseRecord } from '../protocol/messages.ts';
import { type AppPage, runApp } from './app.ts';
import { BootView } from './boot-view.ts';
import { appPage, writePage } from './in-place.ts';
import { LoaderProcess } from './loader-process.ts';
import { ReloadGuard } from './reload-guard.ts';
import { scriptError } from './script-error.ts';
import { announceRelease, brokerPort, controllerOf, hasPath, workboxOf } from './service-worker-link.ts';
import type { Site } from './site.ts';

/** What a site's boot pages carry in `#sluice-boot`. */
export interface BootRecord {
  readonly release: ReleaseRecord | null;
}

/** A worker script that comes slowly is no error for a while; a worker that never takes over is one. */
const controlDeadlineMs = 60_000;
/** While this page waits to be replaced: what is not durable then the next one fetches again. */
const flushEveryMs = 30;

/** The boot page: starts loading, brings the service worker up, and reloads into the app once it answers for this page. */
export async function boot(site: Site, record: BootRecord): Promise<void> {
  const view = new BootView(document);
  for (;;) {
    try {
      await launch(site, record.release ?? undefined, view);
      return;
    } catch (error) {
      await view.failed(asSluiceError(error));
      new ReloadGuard(sessionStorage, site.scope).reset();
    }
  }
}

async function launch(site: Site, release: ReleaseRecord | undefined, view: BootView): Promise<void> {
  requireServiceWorkers();
  view.step('Starting the service worker');
  const loader = new LoaderProcess(
    {
      script: site.loader,
      options: () => ({ scope: site.scope, ...(release === undefined ? {} : { release }) }),
    },
    { onProgress: (progress) => view.progress(progress) },
  );
  loader.begin();
  try {
    const worker = controllerOf(site);
    if (worker !== undefined) return await recoverControlled(site, loader, worker, view);
    if (await hasActiveWorker(site)) return reload(site); // A hard reload: it left the worker out.
    const started = loader.started();
    await Promise.all([takeControl(site).then(() => view.step('Waiting for the first bytes')), started]);
    await handOver(site, loader, release, view);
  } catch (error) {
    loader.end();
    throw error;
  }
}

/**
 * This page should have been the app: either the worker does not know the path, or it came up between request and answer. An app that has a page for unknown paths, by the
 * name that static hosts know, gets it shown.
 */
async function recoverControlled(
  site: Site,
  loader: LoaderProcess,
  worker: ServiceWorker,
  view: BootView,
): Promise<void> {
  if (await hasPath(worker, location.href)) return reload(site);
  const ownPage = `${site.scope}404.html`;
  if ((await hasPath(worker, ownPage)) && (await showInPlace(ownPage, site, { launched: loader }))) return;
  loader.end();
  view.notInApp(location.pathname, site.scope);
}

async function hasActiveWorker(site: Site): Promise<boolean> {
  const registration = await navigator.serviceWorker.getRegistration(site.scope);
  return registration?.scope === site.scope && registration.active !== null;
}

/** Registers the worker and waits until it controls this page. */
async function takeControl(site: Site): Promise<void> {
  const workbox = workboxOf(site);
  const controlled = untilControlled(site);
  const gone = new Promise<never>((_resolve, reject) => {
    workbox.addEventListener('redundant', () =>
      reject(new SluiceError('no-service-worker', 'The service worker could not be installed')),
    );
  });
  try {
    // Resolves when the script is here: a server that never ends its answer must not hold the page for ever.
    await withDeadline(
      `Fetching ${site.serviceWorker}`,
      workbox.register({ immediate: true }),
      controlDeadlineMs,
    );
  } catch (error) {
    if (error instanceof SluiceError) throw error;
    const words = error instanceof Error ? error.message : String(error);
    throw await scriptError(
      site.serviceWorker,
      new SluiceError('no-service-worker', `The service worker was refused: ${words}`, { cause: error }),
    );
  }
  await withDeadline('The service worker', Promise.race([controlled, gone]), controlDeadlineMs);
}

/** Heard from before the registration on: the worker that another tab registers may claim this page while its own registration is under way. */
function untilControlled(site: Site): Promise<void> {
  const container = navigator.serviceWorker;
  return new Promise((resolve) => {
    const look = (): void => {
      if (controllerOf(site) === undefined) return;
      container.removeEventListener('controllerchange', look);
      resolve();
    };
    container.addEventListener('controllerchange', look);
    look();
  });
}

async function handOver(
  site: Site,
  loader: LoaderProcess,
  release: ReleaseRecord | undefined,
  view: BootView,
): Promise<void> {
  view.step('Showing the app');
  const worker = controllerOf(site);
  if (worker === undefined) throw new SluiceError('disconnected', 'The service worker let go of this page');
  if (release !== undefined) announceRelease(worker, release);
  // While the next page is being asked for, this one and its loader still live and can supply it.
  await brokerPort(loader, worker);
  if (await showInPlace(location.href, site, { launched: loader, ...(release && { release }) })) return;
  reload(site);
  await storeUntilReplaced(loader);
}

/** Whether the app's page at `url` has taken the place of this one. Where it has not, a navigation does what it can, and shows what is wrong. */
async function showInPlace(url: string, site: Site, page: AppPage): Promise<boolean> {
  try {
    const html = await appPage(url);
    if (html !== undefined) writePage(html, () => runApp(site, page));
    return html !== undefined;
  } catch (error) {
    console.info('sluice: the app’s page could not be put in place:', error);
    return false;
  }
}

/** A reload is asked for at once and takes effect when the next page's first byte is there; until then blocks still arrive. */
async function storeUntilReplaced(loader: LoaderProcess): Promise<void> {
  for (;;) {
    await loader.call('flush', (api) => api.flush());
    await new Promise((resolve) => setTimeout(resolve, flushEveryMs));
  }
}

/** Keeps path, query and fragment. Throws when reloading has not helped twice. */
function reload(site: Site): void {
  if (!new ReloadGuard(sessionStorage, site.scope).allow(Date.now())) {
    throw new SluiceError(
      'no-service-worker',
      'The service worker runs but does not answer for this page, even after reloading twice',
    );
  }
  location.reload();
}

function requireServiceWorkers(): void {
  if (!isSecureContext) {
    throw new SluiceError(
      'no-service-worker',
      `Browsers start service workers on secure pages only, and ${location.origin} is not one`,
    );
  }
  if (origin === 'null') {
    throw new SluiceError(
      'no-service-worker',
      'A sandboxed frame has no service workers, unless it is given allow-same-origin',
    );
  }
  const around = window.frameElement?.localName;
  if (around === 'object' || around === 'embed') {
    throw new SluiceError(
      'no-service-worker',
      `Browsers do not show service workers what <${around}> loads; use an <iframe>`,
    );
  }
  if (!('serviceWorker' in navigator)) {
    throw new SluiceError('no-service-worker', 'This browser, or its private mode, has no service workers');
  }
}
