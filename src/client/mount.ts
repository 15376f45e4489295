import type { LoaderOptions } from '../protocol/loader-api.ts';
import { serveSource } from '../protocol/source-port.ts';
import { LoaderProcess } from './loader-process.ts';
import type { MountOptions } from './mount-options.ts';
import { MountedImage } from './mounted-image.ts';
import { sleepWithPage } from './page-life.ts';
import { type Site, siteAt } from './site.ts';

/**
 * Mounts the image that is published at `url`, the address of a site directory that `sluice build` made, and resolves when its
 * bootstrap is verified. Needs no service worker: it starts the site's own loader, which keeps what it fetches in the origin's private
 * file system, shared with every tab and with the site itself where that has the same origin.
 *
 * Rejects with a SluiceError: `offline`, `bad-origin`, `unsupported-image`, `corrupt-image`, … The page's policy must allow workers from `url`.
 */
export async function mount(url: string | URL, options: MountOptions = {}): Promise<MountedImage> {
  const site = siteAt(new URL(url, document.baseURI));
  const { source, readTimeoutMs } = options;
  let stopServing = (): void => {};
  const loader = new LoaderProcess(
    {
      script: site.loader,
      options: () => {
        // Each life has a port of its own: what the one before asked for, nobody waits for any more.
        stopServing();
        if (source === undefined) return loaderOptions(site, options);
        const { port1, port2 } = new MessageChannel();
        stopServing = serveSource(source, port1);
        return { ...loaderOptions(site, options), source: port2 };
      },
    },
    {
      onProgress: (progress) => image.dispatchEvent(new CustomEvent('progress', { detail: progress })),
      onRelease: ({ image: named }, isGone) =>
        image.dispatchEvent(new CustomEvent('release', { detail: { image: named, isGone } })),
    },
  );
  void loader.whenClosed().then(() => stopServing());
  sleepWithPage(loader);
  const image = new MountedImage(loader);
  try {
    if (readTimeoutMs !== undefined) image.readTimeoutMs = readTimeoutMs;
    await loader.started();
    return image;
  } catch (error) {
    loader.end();
    throw error;
  }
}

function loaderOptions(site: Site, { background, release, readLog }: MountOptions): LoaderOptions {
  return {
    scope: site.scope,
    ...(background === undefined ? {} : { background }),
    ...(release === undefined ? {} : { release }),
    ...(readLog === undefined ? {} : { readLog }),
  };
}
