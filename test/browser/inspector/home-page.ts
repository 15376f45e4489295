import { farWorker } from '../../contracts/inspector-home.ts';
import { Origin } from '../../support/origin.ts';
import { textRoutes } from '../../support/routes.ts';
import { bundle } from '../store/bundle.ts';

/** An origin of pages to inspect: each has a worker that answers, and can run the homes' contract by itself. */
export async function startHomeOrigin(): Promise<Origin> {
  const page = '<!doctype html><title>inspected</title><script src="/page-home.js"></script>';
  const routes = textRoutes({
    '/': ['text/html', `${page}<script>new Worker('/far.js')</script>`],
    '/other/': ['text/html', page],
    '/far.js': ['text/javascript', farWorker],
    '/page-home.js': ['text/javascript', await bundle('../inspector/page-home.ts')],
  });
  return Origin.start({ mounts: {}, routes });
}
