import { SluiceError } from '../../../src/format/errors.ts';
import type { Mutator } from './mutator.ts';

/** One parser under fuzz: a file of its own in targets/, and a line in targets.ts. */
export interface FuzzTarget<T = unknown> {
  readonly name: string;
  /** Inputs to begin with, sound ones mostly. */
  seeds(): Promise<readonly T[]>;
  /** Another input made of one; checksums and digests that stand before the parser are put right again. */
  mutate(input: T, mutator: Mutator): T;
  /**
   * Parses the input and uses everything that came of it. Answers that in a few words, the same ones for what went the same way: inputs with new words are
   * kept and mutated further. Throws what must not be.
   */
  run(input: T): string | Promise<string>;
  /** Bytes of the largest array that an input may make the parser allocate. */
  readonly maxArrayBytes: number;
  /** For people, and to make a golden test of. */
  show(input: T): string;
}

/** A target, with its type of input checked and then forgotten. */
export function fuzzTarget<T>(target: FuzzTarget<T>): FuzzTarget {
  return target as FuzzTarget<never> as FuzzTarget;
}

/** How it went: what `work` answers, or which of our errors it ended with. Any other error is passed on: it is a find. */
export function outcomeOf(work: () => string): string {
  try {
    return work();
  } catch (error) {
    return refusal(error);
  }
}

/** The error's code and words, without the numbers in them. Throws it where it is none of ours. */
export function refusal(error: unknown): string {
  if (!(error instanceof SluiceError)) throw error;
  return `${error.code}: ${error.message
    .replaceAll(/[0-9a-f]{64}/g, '#')
    .replaceAll(/".*"/gs, '""')
    .replaceAll(/-?\d+(\.\d+)?(e\+\d+)?|Infinity|NaN/g, '#')
    .slice(0, 120)}`;
}

/** What a parser has promised and not kept. */
export function must(kept: boolean, what: () => string): void {
  if (!kept) throw new Error(`broken promise: ${what()}`);
}

/** Bytes in hex, as golden files have them; values as JSON with their bytes and odd numbers spelled out. */
export function shown(input: unknown): string {
  if (input instanceof Uint8Array) return Buffer.from(input).toString('hex');
  return JSON.stringify(input, (_, value: unknown) => {
    if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
    if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)))
      return `${value}`;
    return value === undefined ? 'undefined' : value;
  });
}
