import type { Clock } from '../protocol/clock.ts';
import type { Engine } from './engine.ts';
import type { ServiceEvent } from './loader-service.ts';
import type { Mount } from './mount.ts';
import { Throttle } from './throttle.ts';

/** A progress event at most so often. */
const progressMs = 250;

/** Tells how far each image is that somebody has opened. */
export class ProgressNews {
  readonly #engine: Pick<Engine, 'info' | 'pendingReads'>;
  readonly #clock: Clock;
  readonly #onEvent: (event: ServiceEvent) => void;
  /** By image. */
  readonly #images = new Map<string, Throttle>();

  constructor(
    engine: Pick<Engine, 'info' | 'pendingReads'>,
    clock: Clock,
    onEvent: (event: ServiceEvent) => void,
  ) {
    this.#engine = engine;
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /** Somebody has opened the image: told at once, and from now on. */
  opened(mount: Mount): void {
    const image = mount.image.id;
    if (!this.#images.has(image))
      this.#images.set(image, new Throttle(this.#clock, progressMs, () => this.#tell(mount)));
    this.now(image);
    // A page that comes later waits for this as well.
    if (mount.complete) this.#onEvent({ type: 'complete', image });
  }

  /** Something has come, or is waited for. */
  changed(): void {
    for (const throttle of this.#images.values()) throttle.request();
  }

  /** The last event of an image is not left to the throttle. */
  now(image: string): void {
    this.#images.get(image)?.now();
  }

  close(): void {
    for (const throttle of this.#images.values()) throttle.cancel();
  }

  #tell(mount: Mount): void {
    this.#onEvent({
      type: 'progress',
      image: mount.image.id,
      progress: {
        present: mount.presentBytes,
        total: mount.image.superblock.storedBytes,
        rate: this.#engine.info().rate,
        complete: mount.complete,
        waitingFor: this.#engine.pendingReads(mount)[0]?.path,
      },
    });
  }
}
