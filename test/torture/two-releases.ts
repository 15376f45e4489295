import { cp } from 'node:fs/promises';
import { mixedFiles, type ProofApp, proofApp } from '../browser/proof/proof-app.ts';
import { Published } from '../browser/proof/published.ts';
import { type SmallSite, smallSite } from '../browser/small-site.ts';
import { Origin } from '../support/origin.ts';
import { tempDir } from '../support/temp-dir.ts';

const MB = 2 ** 20;

/** One of the two. */
export interface Release {
  readonly app: ProofApp;
  readonly site: SmallSite;
  readonly published: Published;
}

/** A served site with two images that share nothing, of about 8 MB in blobs of 512 KiB each. `sluice.json` names either. */
export class TwoReleases implements AsyncDisposable {
  readonly origin: Origin;
  readonly releases: readonly Release[];
  readonly #dir: string;
  readonly #remove: () => Promise<void>;

  private constructor(
    releases: readonly Release[],
    origin: Origin,
    dir: string,
    remove: () => Promise<void>,
  ) {
    this.releases = releases;
    this.origin = origin;
    this.#dir = dir;
    this.#remove = remove;
  }

  static async start(seed: number): Promise<TwoReleases> {
    const releases: Release[] = [];
    for (const version of [1, 2]) {
      const app = proofApp(mixedFiles(seed * 10 + version, { count: 20, large: [2 * MB, 2 * MB, 2 * MB] }));
      const site = await smallSite(app.files, { level: 3, blobSize: MB / 2 });
      releases.push({ app, site, published: await Published.open(site) });
    }
    const { path, remove } = await tempDir('releases');
    const origin = await Origin.start({ mounts: { '/': path } });
    const made = new TwoReleases(releases, origin, path, remove);
    await made.deploy(releases[0]!);
    return made;
  }

  /** As a deploy does it: the old files stay, the pointer and the pages change. */
  async deploy({ site }: Release): Promise<void> {
    await cp(site.dir, this.#dir, { recursive: true });
  }

  of(image: string): Release {
    return this.releases.find(({ site }) => site.image === image)!;
  }

  /** The one that is not `image`. */
  other(image: string): Release {
    return this.releases.find(({ site }) => site.image !== image)!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.origin.stop();
    await this.#remove();
    for (const { site } of this.releases) await site[Symbol.asyncDispose]();
  }
}
