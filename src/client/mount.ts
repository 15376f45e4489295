import { LoaderProcess } from './loader-process.ts';
import { MountedImage, type MountOptions } from './mounted-image.ts';
import { siteAt } from './site.ts';

/**
 * Mounts the image that is published at `url`, the address of a site directory that `sluice build` made, and resolves when its
 * bootstrap is verified. Needs no service worker: it starts the site's own loader, which keeps what it fetches in the origin's private
 * file system, shared with every tab and with the site itself where that has the same origin.
 *
 * Rejects with a SluiceError: `offline`, `bad-origin`, `unsupported-image`, `corrupt-image`, … The page's policy must allow workers from `url`.
 */
export async function mount(url: string | URL, options: MountOptions = {}): Promise<MountedImage> {
  const site = siteAt(new URL(url, document.baseURI));
  const { readTimeoutMs, background } = options;
  const loader = new LoaderProcess(
    {
      script: site.loader,
      options: () => ({
        scope: site.scope,
        ...(background === undefined ? {} : { background }),
      }),
    },
    { onProgress: (progress) => image.dispatchEvent(new CustomEvent('progress', { detail: progress })) },
  );
  const image = new MountedImage(loader, readTimeoutMs);
  try {
    await loader.started();
    return image;
  } catch (error) {
    loader.end();
    throw error;
  }
}
