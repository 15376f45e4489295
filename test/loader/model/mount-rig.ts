import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TreeOperation } from '../../../src/format/tree-operation.ts';
import { Image } from '../../../src/image/image.ts';
import type { LocalService } from '../../../src/loader/local-service.ts';
import { build } from '../../../src/pack/index.ts';
import type { ReleaseRecord } from '../../../src/protocol/messages.ts';
import { CrashDisk, crashModels, type Fault } from '../../crash/crash-disk.ts';
import { Origin } from '../../support/origin.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { startLeader } from '../leader.ts';
import { ManualClock } from '../manual-clock.ts';

/** Time that one turn of waiting takes when nothing else moves. */
const stepMs = 20;
/** Real time after which a call is taken for one that never ends. */
const neverMs = 20_000;

/** How something ended: its value, or the code of its error. */
export type Outcome<T> = { readonly value: T } | { readonly code: string };

/** A mount over a disk that crashes and a real server that can be away: everything that the model test does to it. */
export class MountRig implements AsyncDisposable {
  readonly release: ReleaseRecord;
  readonly #origin: Origin;
  readonly #removeDir: () => Promise<void>;
  readonly #below: (n: number) => number;
  #disk = new CrashDisk();
  #fault: Fault['kind'] | undefined;
  #service!: LocalService;
  #clock = new ManualClock();
  #network: 'up' | 'down' | 'hung' = 'up';
  #asking = 0;
  #endedAt = 0;
  #hung: ((reason: unknown) => void)[] = [];

  private constructor(
    origin: Origin,
    release: ReleaseRecord,
    below: (n: number) => number,
    removeDir: () => Promise<void>,
  ) {
    this.#origin = origin;
    this.release = release;
    this.#below = below;
    this.#removeDir = removeDir;
  }

  /** Packs the files, publishes them at a real server, and mounts them. */
  static async start(
    files: ReadonlyMap<string, Uint8Array>,
    below: (n: number) => number,
  ): Promise<MountRig> {
    const { path, remove } = await tempDir('model');
    const app = join(path, 'app');
    for (const [name, bytes] of files) {
      await mkdir(dirname(join(app, name)), { recursive: true });
      await writeFile(join(app, name), bytes);
    }
    const runtimeDir = join(import.meta.dirname, '../../../dist/runtime');
    const site = join(path, 'site');
    const { image, bytes } = await build(app, { out: site, threads: 0, blobSize: 2 ** 19, runtimeDir });
    const origin = await Origin.start({ mounts: { '/app/': site } });
    const rig = new MountRig(origin, { image, bytes }, below, remove);
    await rig.#mount();
    return rig;
  }

  get service(): LocalService {
    return this.#service;
  }

  get image(): string {
    return this.release.image;
  }

  now(): number {
    return this.#clock.now();
  }

  /** By the clock of the mount before this one. */
  get endedAt(): number {
    return this.#endedAt;
  }

  get network(): 'up' | 'down' | 'hung' {
    return this.#network;
  }

  set network(network: 'up' | 'down' | 'hung') {
    this.#network = network;
    for (const reject of this.#hung.splice(0)) reject(new TypeError('connection reset'));
  }

  /** The disk was made to fail for want of room in this life, or will be. */
  get mayBeFull(): boolean {
    return this.#fault === 'full';
  }

  get crashed(): boolean {
    return this.#disk.crashed;
  }

  /** Lets time pass, and what it wakes. */
  async pass(ms: number): Promise<void> {
    this.#clock.advance(ms);
    await this.turn();
  }

  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** The outcome of a call that must end: time passes as long as nothing else can help. */
  async outcome<T>(call: Promise<T>): Promise<Outcome<T>> {
    let ended: Outcome<T> | undefined;
    void this.settled(call).then((outcome) => {
      ended = outcome;
    });
    const begun = performance.now();
    for (let steps = 0; ended === undefined; steps++) {
      await this.turn();
      // Digests are made aside, and answers come when they come; only then is it time that is waited for.
      if (steps % 8 === 7 && this.#asking === 0) this.#clock.advance(stepMs);
      if (performance.now() - begun > neverMs) throw new Error('It never ends');
    }
    return ended;
  }

  /** The outcome, whenever it comes. */
  async settled<T>(call: Promise<T>): Promise<Outcome<T>> {
    try {
      return { value: await call };
    } catch (error) {
      return { code: (error as { code?: string }).code ?? String(error) };
    }
  }

  /** How many blobs and inodes were published. */
  async counts(): Promise<{ readonly lowest: number; readonly inodes: number }> {
    const image = await Image.open(await this.#service.readBootstrap(this.image));
    return { lowest: image.blobCount, inodes: image.inodeCount };
  }

  change(operation: TreeOperation): Promise<void> {
    return this.#service.changeTree(this.image, operation, randomBytes(32).toString('hex'));
  }

  /** Closes the mount in order and opens it again. Answers whether it went without a crash. */
  async remount(): Promise<boolean> {
    this.network = 'up';
    const closed = await this.outcome(this.#service.close());
    if (this.crashed) return false;
    if ('code' in closed) throw new Error(`The mount does not close: ${closed.code}`);
    try {
      await this.#mount();
      return true;
    } catch (error) {
      if (this.crashed || this.mayBeFull) return false;
      throw error;
    }
  }

  /** The visitor has cleared what the site stored, and comes again. */
  async startAnew(): Promise<void> {
    this.network = 'up';
    await this.outcome(this.#service.close());
    this.#disk = new CrashDisk();
    this.#fault = undefined;
    await this.#mount();
  }

  /** What the disk holds after a crash now is mounted. */
  async crash(): Promise<void> {
    this.network = 'up';
    for (;;) {
      const model = crashModels[this.#below(crashModels.length)]!;
      const seed = this.#below(2 ** 31);
      const files = this.#disk.after(model, seed);
      this.#disk = new CrashDisk(files, this.#nextFault());
      try {
        await this.#mount();
        return;
      } catch (error) {
        if (!this.crashed && !this.mayBeFull) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.close().catch(() => {});
    await this.#origin.stop();
    await this.#removeDir();
  }

  async #mount(): Promise<void> {
    this.#endedAt = this.#clock.now();
    this.#clock = new ManualClock();
    const clock = this.#clock;
    this.#service = await startLeader({
      scope: `${this.#origin.url}/app/`,
      fetch: this.#fetch,
      clock,
      directory: this.#disk,
    });
    const opened = await this.outcome(
      this.#service.open({ loader: 'tab', release: this.release, background: false }),
    );
    if ('code' in opened) throw new Error(`The image does not open: ${opened.code}`);
    const { loader } = await this.#service.state(this.image);
    if (loader.storage !== 'opfs') throw new Error(`The store does not open: ${loader.lastError?.message}`);
  }

  #nextFault(): Fault {
    const seed = this.#below(2 ** 31);
    const at = this.#below(1 + this.#below(1500));
    const kind = this.#below(4) === 0 ? 'full' : 'crash';
    this.#fault = kind;
    // What meets no room is tried once more: sometimes that helps.
    return { at, kind, seed, times: 1 + this.#below(3) };
  }

  readonly #fetch: typeof fetch = async (input, init) => {
    if (this.#network === 'down') throw new TypeError('no network');
    if (this.#network === 'hung') {
      return new Promise((_, reject) => {
        this.#hung.push(reject);
        init?.signal?.addEventListener('abort', () => reject(init.signal!.reason), { once: true });
      });
    }
    this.#asking += 1;
    try {
      const { status, headers, body } = await fetch(input, init);
      const bytes = body === null ? null : await new Response(body).arrayBuffer();
      return new Response(bytes, { status, headers });
    } finally {
      this.#asking -= 1;
    }
  };
}
