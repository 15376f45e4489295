import { SluiceError } from '../format/errors.ts';
import type { BlockSource, Chunk, RangeRequest } from '../protocol/block-source.ts';
import type { Clock } from '../protocol/clock.ts';
import { type InspectorSwitches, noSwitches } from '../protocol/inspection.ts';
import { WakeableWait } from '../protocol/wakeable-wait.ts';
import { OriginError } from './origin-error.ts';

/** So that what is slow comes as a slow link brings it, and not in lumps. */
const pieceBytes = 16 * 1024;

/**
 * A source that can be made slow, be cut off, or fail, to see what then becomes of an app; fault injection for people. Nothing lies between the source and its
 * user while nothing is switched. It knows of `isPaused` and leaves it to the scheduler.
 */
export class SwitchedSource implements BlockSource {
  readonly #source: BlockSource;
  readonly #clock: Clock;
  #switches = noSwitches;
  /** When the simulated link has brought all that was taken from it; clock time. */
  #linkFree = 0;
  /** The waits for the simulated link. */
  readonly #link: WakeableWait;

  constructor(source: BlockSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#link = new WakeableWait(clock);
  }

  get wholeFiles(): boolean {
    return this.#source.wholeFiles;
  }

  /** As they are now: `failNext` counts down. */
  get switches(): InspectorSwitches {
    return this.#switches;
  }

  /** What waits for the simulated link goes on at the new speed. */
  switch(switches: InspectorSwitches): void {
    this.#switches = switches;
    this.#linkFree = 0;
    this.#link.wake();
  }

  fetch(request: RangeRequest): AsyncIterable<Chunk> {
    const { isOffline, bytesPerSecond, delayMs, failNext } = this.#switches;
    const isSwitched = isOffline || bytesPerSecond > 0 || delayMs > 0 || failNext > 0;
    return isSwitched ? this.#slowly(request) : this.#source.fetch(request);
  }

  /** Throws `offline` while there shall be no network. */
  checkOnline(): void {
    if (this.#switches.isOffline) throw cutOff();
  }

  async *#slowly(request: RangeRequest): AsyncGenerator<Chunk> {
    this.checkOnline();
    const { failNext, delayMs } = this.#switches;
    if (failNext > 0) {
      this.#switches = { ...this.#switches, failNext: failNext - 1 };
      throw new OriginError('This request was made to fail by the inspector', { retryable: true });
    }
    const { signal } = request;
    if (delayMs > 0) await this.#sleep(() => this.#switches.delayMs > 0, this.#clock.now() + delayMs, signal);
    for await (const { offset, bytes } of this.#source.fetch(request)) {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const piece = bytes.subarray(at, at + pieceBytes);
        await this.#bring(piece.length, signal);
        yield { offset: offset + at, bytes: piece };
      }
    }
  }

  /** Resolves when the simulated link has brought so many bytes more, behind what was asked for before. */
  async #bring(bytes: number, signal: AbortSignal): Promise<void> {
    const { bytesPerSecond } = this.#switches;
    if (bytesPerSecond === 0) return;
    this.#linkFree = Math.max(this.#linkFree, this.#clock.now()) + (bytes / bytesPerSecond) * 1000;
    await this.#sleep(() => this.#switches.bytesPerSecond === bytesPerSecond, this.#linkFree, signal);
  }

  /** Until the clock time, or until it is not to be waited for any more. Throws the signal's reason. */
  async #sleep(isToWait: () => boolean, until: number, signal: AbortSignal): Promise<void> {
    while (isToWait() && !signal.aborted && this.#clock.now() < until)
      await this.#link.wait(until - this.#clock.now(), signal);
    signal.throwIfAborted();
  }
}

/** What a request without a network ends with. */
export function cutOff(): SluiceError {
  return new SluiceError('offline', 'The inspector has switched the network off: switch it on again there');
}
