import type { FileTree } from '../src/image/file-tree.ts';
import { systemClock } from '../src/protocol/clock.ts';
import type { BlockReader } from './block-reader.ts';
import type { LoaderPorts } from './loader-ports.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { blocksOf, type Run, runsOf } from './runs.ts';

/** Stored bytes that a request is to bring, and how many are under way: the link is full, and a loader that comes waits for little. */
const requestBytes = 256 * 1024;
const requests = 2;
/** The launch is taken to end here, also where the image does not say: as much is remembered for the next loader. */
const maxBytes = 8 * 1024 * 1024;
/** A page is launching for so long after its navigation. */
const launchMs = 5000;
/** For each block. */
const timeoutMs = 30_000;

export interface RelayOptions {
  readonly local: () => Promise<Pick<LocalBlocks, 'has' | 'isSealed'> | undefined>;
  readonly reader: Pick<BlockReader, 'bring'>;
  readonly ports: Pick<LoaderPorts, 'best'>;
}

/**
 * Goes on with a launch while no loader is there. The boot page's loader goes with its page, and that of the app's page has still to start: the link would
 * be idle for half a second in between (measured: 380 ms of a launch of 3.5 s). What comes is given to the next loader.
 */
export class Relay {
  readonly #options: RelayOptions;
  #launch: { readonly image: FileTree; readonly until: number } | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** A page gets the image's files from now on. */
  launched(image: FileTree): void {
    this.#launch = { image, until: systemClock.now() + launchMs };
    void this.goOn();
  }

  /** A loader has gone, perhaps the last. Settles when there is nothing more to do here; never rejects. */
  goOn(): Promise<void> {
    const launch = this.#launch;
    if (!launch || launch.until < systemClock.now() || this.#isLed()) return Promise.resolve();
    this.#running ??= this.#bring(launch.image)
      .catch((error: unknown) => console.info('sluice: the launch waits for its loader', error))
      .finally(() => {
        this.#running = undefined;
      });
    return this.#running;
  }

  /** A loader that is only starting, or that stands by, asks for nothing. */
  #isLed(): boolean {
    return this.#options.ports.best?.role === 'leader';
  }

  async #bring(image: FileTree): Promise<void> {
    const { local, reader } = this.#options;
    const store = await local();
    if (!store) return;
    const underWay = new Set<Promise<void>>();
    for (const { blob, run } of missingRuns(image, store)) {
      if (this.#isLed()) break;
      const request = reader
        .bring({ image, blob, ...run, timeoutMs })
        .finally(() => underWay.delete(request));
      underWay.add(request);
      if (underWay.size === requests) await Promise.race(underWay);
    }
    await Promise.all(underWay);
  }
}

/** What is missing of the launch, in order, in pieces for one request each. */
function* missingRuns(
  image: FileTree,
  store: Pick<LocalBlocks, 'has' | 'isSealed'>,
): Generator<{ readonly blob: number; readonly run: Run }> {
  const { launchSet } = image;
  let before = 0;
  for (let blob = 0; blob < image.blobCount && before < maxBytes; blob++) {
    if (!image.hasBlob(blob)) return;
    const record = image.blob(blob);
    if (record.blockSize !== undefined) return; // Of files made at run time: no server has them.
    const count = launchSet && blob >= launchSet.blob ? launchSet.block : record.blockCount;
    // Blocks of one blob are mostly of a kind, and this is about how many to ask for.
    const blockBytes = (record.length - record.tableLength) / record.blockCount;
    const most = Math.max(1, Math.floor(requestBytes / blockBytes));
    if (!store.isSealed(record)) {
      const within = Math.min(count, Math.ceil((maxBytes - before) / blockBytes));
      const missing = [...blocksOf({ first: 0, count: within })].filter((block) => !store.has(record, block));
      for (const run of runsOf(missing)) {
        for (let at = 0; at < run.count; at += most)
          yield { blob, run: { first: run.first + at, count: Math.min(most, run.count - at) } };
      }
    }
    if (blob === launchSet?.blob) return;
    before += record.length;
  }
}
