import { SluiceError } from '../format/errors.ts';
import { withDeadline } from '../protocol/deadline.ts';
import { type PageToServiceWorker, protocolVersion, type ReleaseRecord } from '../protocol/messages.ts';
import type { LoaderProcess } from './loader-process.ts';
import type { Site } from './site.ts';

const answerDeadlineMs = 10_000;

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

/** Whether the path of `url` is in the image that `worker` serves. */
export function hasPath(worker: ServiceWorker, url: string): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  const answer = new Promise<boolean>((resolve, reject) => {
    port1.onmessage = ({ data }) => {
      if (typeof data === 'boolean') resolve(data);
      else reject(new SluiceError('disconnected', 'The service worker is of another version'));
    };
  });
  post(worker, { type: 'sluice:has-path', url }, [port2]);
  return withDeadline('The service worker', answer, answerDeadlineMs).finally(() => port1.close());
}

function post(worker: ServiceWorker, message: PageToServiceWorker, transfer: Transferable[] = []): void {
  worker.postMessage(message, transfer);
}
