import type { BlobState } from './blob-state.ts';
import type { BlobHead } from './blob-view.ts';
import type { LinkView } from './link-view.ts';
import type { LocalBlocks } from './local-blocks.ts';
import type { Mount } from './mount.ts';

/** Which images are brought in the background, and which are wholly here. */
export class Completion {
  readonly #local: Pick<LocalBlocks, 'full' | 'rest'>;
  /** The newest first. */
  #background: Mount[] = [];
  readonly #complete = new Set<Mount>();

  constructor(local: Pick<LocalBlocks, 'full' | 'rest'>) {
    this.#local = local;
  }

  mounted(mount: Mount): void {
    if (mount.complete) this.#complete.add(mount);
  }

  /** The image comes in the background, before those that were asked for earlier. */
  begin(mount: Mount): void {
    this.end(mount);
    this.#background.unshift(mount);
  }

  /** It does not any more. */
  end(mount: Mount): void {
    this.#background = this.#background.filter((other) => other !== mount);
  }

  isUnderWay(mount: Mount): boolean {
    return this.#background.includes(mount);
  }

  /** Of what was complete, something is missing again: it will be news when it is here. */
  lost(mounts: Iterable<Mount>): void {
    for (const mount of mounts) if (!mount.complete) this.#complete.delete(mount);
  }

  /** Whether the blob is to come, sooner or later. */
  wants(blob: BlobState): boolean {
    return !blob.complete && this.#background.some((mount) => mount.indexOf(blob.sha256) !== undefined);
  }

  /** What is still to come, in order. */
  *missing(): Generator<BlobHead<BlobState>> {
    for (const mount of this.#background) yield* mount.missing();
  }

  /** What the launch of the newest still needs, in order. */
  *missingForLaunch(link: LinkView): Generator<BlobHead<BlobState>> {
    const [newest] = this.#background;
    if (newest) yield* newest.missingForLaunch(link);
  }

  /** Those of the mounts that are complete, durably, since they were asked about last. */
  async news(mounts: Iterable<Mount>): Promise<Mount[]> {
    const isNews = (mount: Mount): boolean =>
      !this.#complete.has(mount) && mount.complete && !this.#local.full;
    const found = [...mounts].filter(isNews);
    // From here on its page may go at any time, and with it this worker.
    if (found.length > 0) await this.#local.rest();
    const news = found.filter(isNews);
    for (const mount of news) this.#complete.add(mount);
    return news;
  }
}
