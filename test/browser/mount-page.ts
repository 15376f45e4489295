import type { Page } from '@playwright/test';
import type { mount as Mount, MountedImage } from '../../src/client/index.ts';
import { type FaultHook, Origin } from '../support/origin.ts';
import { textRoutes } from '../support/routes.ts';
import { tempDir } from '../support/temp-dir.ts';

/** What {@link libraryPage} puts into a page. */
export type LibraryWindow = Window & {
  readonly mount: typeof Mount;
  /** For a test to keep its mount in. */
  image: MountedImage;
  /** Every worker that the page has started, oldest first. */
  readonly workers: readonly Worker[];
  /** The code and path of the error that `work` ends with, or 'no error'. */
  readonly outcome: (work: Promise<unknown>) => Promise<string>;
};

/** An ordinary page, no service worker, that imports the library as it is published. */
export async function libraryPage(page: Page, origin: Origin): Promise<Page> {
  await page.goto(`${origin.url}/`);
  await page.evaluate(async () => {
    const library = '/lib/index.js';
    const workers: Worker[] = [];
    Object.assign(window, {
      mount: (await import(library)).mount,
      workers,
      Worker: class extends Worker {
        constructor(...args: ConstructorParameters<typeof Worker>) {
          super(...args);
          workers.push(this);
        }
      },
      outcome: (work: Promise<unknown>) =>
        work.then(
          () => 'no error',
          (error) => (typeof error.code === 'string' ? error.code : error.name),
        ),
    });
  });
  return page;
}

/** A server with the site at /site/, the library at /lib/ and a plain page at /. */
export async function mountServer(
  site: string,
  fault?: FaultHook,
): Promise<{ readonly origin: Origin } & AsyncDisposable> {
  const plain = await tempDir('plain');
  const origin = await Origin.start({
    mounts: { '/site/': site, '/lib/': 'dist/lib', '/': plain.path },
    routes: textRoutes({ '/': ['text/html', '<title>plain</title>'] }),
    ...(fault === undefined ? {} : { fault }),
  });
  return {
    origin,
    [Symbol.asyncDispose]: async () => {
      await origin.stop();
      await plain.remove();
    },
  };
}
