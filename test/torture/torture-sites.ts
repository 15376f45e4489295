import { mixedFiles, type ProofApp, proofApp } from '../browser/proof/proof-app.ts';
import type { SeededFile } from '../browser/proof/seeded-file.ts';
import { type SmallSite, smallSite } from '../browser/small-site.ts';
import type { Schedule } from './schedule.ts';

/** The sites that schedules launch: one app, a site of it for each codec. */
export class TortureSites {
  /** Every file of which each byte is known. */
  readonly files: readonly SeededFile[];
  readonly #app: ProofApp;
  readonly #sites = new Map<Schedule['codec'], Promise<SmallSite>>();

  constructor() {
    // About 4 MB: of the sizes at blocks' edges one of noise and one of text by turns.
    this.files = mixedFiles(5, { count: 24, large: [700_000] }).filter(
      ({ path }, i) => !/^edges/.test(path) || i % 4 < 2 || i % 3 === 0,
    );
    this.#app = proofApp(this.files);
  }

  of(codec: Schedule['codec']): Promise<SmallSite> {
    let site = this.#sites.get(codec);
    site ??= smallSite(this.#app.files, { codec, level: 3, blobSize: 512 * 1024 });
    this.#sites.set(codec, site);
    return site;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const site of this.#sites.values()) await (await site)[Symbol.asyncDispose]();
  }
}

/** Paths of everything that the site publishes under a name that says what it is. */
export async function publishedPaths(site: SmallSite): Promise<string[]> {
  return [...(await site.blobs()), `${site.image}.bin`].map((name) => `/${name}`);
}
