import { Workbox } from 'workbox-window';
import { SluiceError } from '../format/errors.ts';
import { withDeadline } from '../protocol/deadline.ts';
import { type PageToServiceWorker, protocolVersion, type ReleaseRecord } from '../protocol/messages.ts';
import type { MappingCounts } from '../protocol/state.ts';
import type { LoaderProcess } from './loader-process.ts';
import { ownRegistration } from './registration-rule.ts';
import type { Site } from './site.ts';
import { trusted } from './trusted-types.ts';

const answerDeadlineMs = 10_000;
const countsDeadlineMs = 2_000;

/** To register the site's service worker with, and to look for a newer one: the HTTP cache has no say in it. */
export function workboxOf({ serviceWorker, scope }: Site): Workbox {
  const options = ownRegistration({ scope, updateViaCache: 'none' });
  return new Workbox(trusted('createScriptURL', serviceWorker), options);
}

/** The service worker that controls this page, if it is the site's own: another one may hold a wider scope. */
export function controllerOf(site: Site): ServiceWorker | undefined {
  const controller = navigator.serviceWorker.controller;
  return controller?.scriptURL === site.serviceWorker ? controller : undefined;
}

/** Gives `worker` a fresh port to the page's loader. Routine: ports die with every restart of either side. */
export async function brokerPort(loader: LoaderProcess, worker: ServiceWorker): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  try {
    await loader.connect(port1);
    post(worker, { type: 'sluice:loader-port', version: protocolVersion }, [port2]);
  } catch (error) {
    port2.close();
    throw error;
  }
}

/** Tells which image the next navigations are to be answered from. */
export function announceRelease(worker: ServiceWorker, release: ReleaseRecord): void {
  post(worker, { type: 'sluice:release', release });
}

/** How long this page's reads may wait. A restarted service worker has forgotten it: sent again with each port. */
export function sendReadTimeout(worker: ServiceWorker, readTimeoutMs: number): void {
  post(worker, { type: 'sluice:settings', readTimeoutMs });
}

/** Makes an event for what the service worker is still sending to somebody. */
export function stayAwake(worker: ServiceWorker): void {
  post(worker, { type: 'sluice:stay-awake' });
}

/** Whether the path of `url` is in the image that `worker` serves. */
export async function hasPath(worker: ServiceWorker, url: string): Promise<boolean> {
  const answer = await ask(worker, { type: 'sluice:has-path', url }, answerDeadlineMs);
  if (typeof answer === 'boolean') return answer;
  throw new SluiceError('disconnected', 'The service worker is of another version');
}

/** How often `worker` knew where bytes are; undefined where it does not say, an older one for instance. */
export async function mappingCounts(worker: ServiceWorker): Promise<MappingCounts | undefined> {
  try {
    return (await ask(worker, { type: 'sluice:mappings' }, countsDeadlineMs)) as MappingCounts | undefined;
  } catch {
    return undefined; // They are told to people; nothing hangs on them.
  }
}

/** What `worker` says on a port of its own; undefined when it lets go of the port. */
function ask(worker: ServiceWorker, message: PageToServiceWorker, deadlineMs: number): Promise<unknown> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<unknown>((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
    // Only newer browsers tell that the other end is gone.
    port1.addEventListener('close', () => resolve(undefined));
  });
  post(worker, message, [port2]);
  return withDeadline('The service worker', answer, deadlineMs).finally(() => port1.close());
}

function post(worker: ServiceWorker, message: PageToServiceWorker, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}
