import type { Clock } from '../protocol/clock.ts';

/** What could not be read is left alone for so long; then whoever wants it looks again. */
const missingMs = 2000;

/** Blocks that the store calls present and could not give, or not rightly, as `<sha256>/<block>`: missing for a while, since failures of a platform pass. */
export class UnreadableBlocks {
  readonly #clock: Pick<Clock, 'now'>;
  /** Until when each is missing; clock time. */
  readonly #until = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  add(key: string): void {
    this.#until.set(key, this.#clock.now() + missingMs);
  }

  /** It could not be read when it was last tried. */
  has(key: string): boolean {
    return this.#until.has(key);
  }

  isMissing(key: string): boolean {
    return (this.#until.get(key) ?? Number.NEGATIVE_INFINITY) > this.#clock.now();
  }

  /** All that are missing now. */
  missing(): string[] {
    return [...this.#until.keys()].filter((key) => this.isMissing(key));
  }

  delete(key: string): void {
    this.#until.delete(key);
  }

  /** Those of a blob. */
  deleteAll(sha256: string): void {
    for (const key of [...this.#until.keys()]) if (key.startsWith(`${sha256}/`)) this.#until.delete(key);
  }
}
