import { seededRandom } from '../../support/random.ts';
import { ArrayWatch } from './array-watch.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { Mutator } from './mutator.ts';

export interface FuzzOptions {
  readonly runs: number;
  readonly seed: number;
  /** Told before an input is tried, now and then. */
  readonly onProgress?: (run: number) => void;
}

export interface FuzzFind {
  readonly run: number;
  readonly what: string;
  readonly input: string;
}

export interface FuzzReport {
  readonly target: string;
  readonly runs: number;
  readonly ms: number;
  /** Different ways that inputs went. */
  readonly outcomes: number;
  readonly slowestMs: number;
  readonly largestArray: number;
  readonly finds: readonly FuzzFind[];
}

/** Far above what any input needs (a millisecond or two), also on a busy machine. */
const maxMs = 250;
/** Enough to see what is wrong. */
const maxFinds = 5;
/** Inputs that went a way of their own. */
const maxKept = 400;
const progressEvery = 256;

/**
 * Tries `runs` mutated inputs. Half are made of the seeds, half of inputs that went a way that none before had gone: the parsers' own words for what they
 * refuse stand for the coverage that an instrumented build would tell.
 */
export async function runFuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const { runs, seed, onProgress } = options;
  const seeds = await target.seeds();
  const mutator = new Mutator(seededRandom(seed));
  const kept: unknown[] = [];
  const outcomes = new Set<string>();
  const finds: FuzzFind[] = [];
  let slowestMs = 0;
  let largestArray = 0;
  const rejected: unknown[] = [];
  const onRejection = (reason: unknown): void => void rejected.push(reason);
  process.on('unhandledRejection', onRejection);
  // What the receivers of messages say of bad ones.
  const { info, warn } = console;
  console.info = console.warn = () => {};
  // Most inputs end in an error: its stack takes longer than all else.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const watch = new ArrayWatch();
  const began = performance.now();
  let run = 0;
  try {
    for (; run < runs && finds.length < maxFinds; run++) {
      if (run % progressEvery === 0) onProgress?.(run);
      const from = kept.length > 0 && mutator.random() < 0.5 ? kept : seeds;
      const input = target.mutate(mutator.pick(from), mutator);
      const find = (what: string): void => void finds.push({ run, what, input: target.show(input) });
      watch.largest = 0;
      const start = performance.now();
      try {
        const outcome = await target.run(input);
        if (!outcomes.has(outcome)) {
          outcomes.add(outcome);
          if (kept.length < maxKept) kept.push(input);
        }
      } catch (error) {
        find(await withStack(target, input, error, stackTraceLimit));
      }
      const ms = await leastMs(target, input, performance.now() - start);
      slowestMs = Math.max(slowestMs, ms);
      largestArray = Math.max(largestArray, watch.largest);
      if (ms > maxMs) find(`it took ${ms.toFixed(0)} ms`);
      if (watch.largest > target.maxArrayBytes) find(`an array of ${watch.largest} bytes was made`);
      for (const reason of rejected.splice(0))
        find(`unhandled (here or just before): ${reason instanceof Error ? reason.stack : reason}`);
    }
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    watch.end();
    process.off('unhandledRejection', onRejection);
    Object.assign(console, { info, warn });
  }
  const ms = performance.now() - began;
  return { target: target.name, runs: run, ms, outcomes: outcomes.size, slowestMs, largestArray, finds };
}

/** The same error again, if it comes again, with its stack. */
async function withStack(target: FuzzTarget, input: unknown, error: unknown, limit: number): Promise<string> {
  Error.stackTraceLimit = limit;
  try {
    await target.run(input);
    return `${error} (not so when tried again)`;
  } catch (again) {
    return again instanceof Error ? (again.stack ?? again.message) : String(again);
  } finally {
    Error.stackTraceLimit = 0;
  }
}

/** A machine that is busy, or a collection of garbage, makes anything slow once; only the input itself does so thrice. */
async function leastMs(target: FuzzTarget, input: unknown, first: number): Promise<number> {
  let least = first;
  for (let again = 0; again < 2 && least > maxMs; again++) {
    const start = performance.now();
    await Promise.resolve()
      .then(() => target.run(input))
      .catch(() => {}); // Reported already.
    least = Math.min(least, performance.now() - start);
  }
  return least;
}
