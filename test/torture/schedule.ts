import type { Fault } from '../support/fault.ts';
import type { OriginRequest } from '../support/origin.ts';
import { seededRandom } from '../support/random.ts';
import type { ConnectionFault } from '../support/rough-link.ts';
import type { StoreFaults } from './runtime-faults.ts';

/** Something that is done to the browser, or to the whole network, while the app loads. */
export type Action =
  | { readonly type: 'stop-service-worker' }
  /** Every loader ends, without a word. */
  | { readonly type: 'end-loaders' }
  /** Every loader falls into an endless loop. */
  | { readonly type: 'hang-loaders' }
  | { readonly type: 'reload' }
  /** To the other page of the app, and back the next time. */
  | { readonly type: 'navigate' }
  | { readonly type: 'open-tab' }
  /** The oldest one. A new one follows at once where it was the last. */
  | { readonly type: 'close-tab' }
  /** No server for so long. `told`: the browser says `offline` and `online`. */
  | { readonly type: 'network-away'; readonly ms: number; readonly told: boolean }
  /** The clocks of the workers jump. */
  | { readonly type: 'clock-jump'; readonly ms: number };

export interface Step {
  /** Since things begin to go wrong. */
  readonly atMs: number;
  readonly action: Action;
}

/** All that happens to one launch. */
export interface Schedule {
  readonly seed: number;
  readonly codec: 'zstd' | 'lz4' | 'none';
  /** False: a host that answers every range with the whole file. */
  readonly ranges: boolean;
  readonly bytesPerSecond: number;
  /** The share of requests that is answered wrongly, and how. */
  readonly origin: { readonly share: number; readonly faults: readonly Fault['type'][] };
  /** The share of connections that is treated badly. */
  readonly link: { readonly share: number; readonly faults: readonly ConnectionFault['type'][] };
  readonly store: Omit<StoreFaults, 'until'> | undefined;
  readonly steps: readonly Step[];
  /** Things begin to go wrong with the first navigation, or when the app runs, and loads on. */
  readonly begins: 'at-navigation' | 'when-launched';
  /** After that nothing more is done wrong, and all must become right. */
  readonly mendedAtMs: number;
  /** What the app says of how long its reads may wait. */
  readonly readTimeoutMs: number;
}

const originFaults: readonly Fault['type'][] = [
  'delay',
  'throttle',
  'cut-before-headers',
  'cut-at',
  'one-byte-short',
  'wrong-content-length',
  'hang',
  'hang-at',
  'status',
  'html-200',
  'ignore-range',
  'wrong-content-range',
  'gzip-206',
  'redirect',
  'instead',
  'flip-bit',
];
const linkFaults: readonly ConnectionFault['type'][] = ['refused', 'reset', 'closed', 'silent', 'paused'];
const actions: readonly Action['type'][] = [
  'stop-service-worker',
  'end-loaders',
  'hang-loaders',
  'reload',
  'navigate',
  'open-tab',
  'close-tab',
  'network-away',
  'clock-jump',
];

/** The schedule of a seed; the same on every machine. It mixes several kinds of faults. */
export function scheduleOf(seed: number): Schedule {
  const dice = diceOf(seed);
  const mendedAtMs = dice.between(2500, 6000);
  const kinds = dice.some(['origin', 'link', 'store', 'actions'] as const, dice.between(2, 4));
  const steps = kinds.includes('actions') || kinds.length < 3 ? dice.between(2, 7) : 1;
  const allowed = dice.some(actions, 4);
  return {
    seed,
    codec: dice.one(['zstd', 'zstd', 'lz4', 'none']),
    ranges: dice.chance(0.9),
    bytesPerSecond: dice.between(600_000, 3_000_000),
    origin: {
      share: kinds.includes('origin') ? dice.between(5, 50) / 100 : 0,
      faults: dice.some(originFaults, dice.between(1, 6)),
    },
    link: {
      share: kinds.includes('link') ? dice.between(10, 60) / 100 : 0,
      faults: dice.some(linkFaults, dice.between(1, 3)),
    },
    store: kinds.includes('store') ? storeFaults(dice) : undefined,
    steps: Array.from({ length: steps }, () => ({
      atMs: dice.between(150, mendedAtMs),
      action: actionOf(dice.one(allowed), dice),
    })).sort((a, b) => a.atMs - b.atMs),
    begins: dice.one(['at-navigation', 'when-launched']),
    mendedAtMs,
    readTimeoutMs: dice.between(2000, 6000),
  };
}

/** How the origin of the schedule answers a request. `others`: paths of published files, some of them of another release. */
export function originFault(
  { seed, origin }: Schedule,
  request: OriginRequest,
  others: readonly string[],
): Fault | undefined {
  const { path, earlier } = request;
  // What a page is, nobody can verify but the browser, and a script just as little: they may fail to come, not be others.
  const verified = /\.bin$|sluice\.json$|\.wasm$/.test(path);
  if (/\/$|\.html$/.test(path)) return undefined;
  let hash = seed ^ Math.imul(earlier + 1, 0x9e3779b1);
  for (const char of path) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
  const dice = diceOf(hash);
  if (!dice.chance(verified ? origin.share : origin.share / 4)) return undefined;
  const type = dice.one(origin.faults);
  switch (type) {
    case 'delay':
      return { type, ms: dice.between(100, 4000) };
    case 'throttle':
      return { type, bytesPerSecond: dice.between(20_000, 400_000) };
    case 'cut-at':
      return { type, byte: dice.between(0, 300_000), afterMs: 20 };
    case 'hang-at':
      return { type, byte: dice.between(0, 300_000) };
    case 'status': {
      const status = dice.one([404, 403, 429, 500, 502, 503]);
      return status === 429 || status === 503
        ? { type, status, retryAfter: dice.one([0, 1, 2, 120]) }
        : { type, status };
    }
    case 'redirect':
      return { type, location: '/index.html' };
    case 'instead':
      return verified ? { type, path: dice.one(others) } : undefined;
    case 'flip-bit':
      return verified ? { type, offset: dice.between(0, 260_000) } : undefined;
    case 'one-byte-short':
    case 'gzip-206':
    case 'wrong-content-range':
      return verified ? { type } : undefined;
    case 'wrong-content-length':
      return { type, by: dice.one([-1, 1]) };
    case 'hold':
      throw new Error('no schedule holds');
    default:
      return { type };
  }
}

/** How the link of the schedule treats its `index`th connection. */
export function linkFault({ seed, link }: Schedule, index: number): ConnectionFault | undefined {
  const dice = diceOf(seed ^ Math.imul(index + 1, 0x85ebca6b));
  if (!dice.chance(link.share)) return undefined;
  const type = dice.one(link.faults);
  const bytes = dice.between(0, 500_000);
  if (type === 'refused') return { type };
  return type === 'paused' ? { type, bytes, ms: dice.between(500, 5000) } : { type, bytes };
}

function storeFaults(dice: Dice): Omit<StoreFaults, 'until'> {
  return {
    seed: dice.between(1, 1_000_000),
    write: dice.one([0, 0.02, 0.1, 1]),
    torn: dice.one([0, 0.02]),
    flush: dice.one([0, 0.05]),
    open: dice.one([0, 0.1, 0.5]),
    read: dice.one([0, 0.02]),
  };
}

function actionOf(type: Action['type'], dice: Dice): Action {
  switch (type) {
    case 'network-away':
      return { type, ms: dice.between(200, 3000), told: dice.chance(0.5) };
    case 'clock-jump':
      return { type, ms: dice.one([-1, 1]) * dice.one([5_000, 3_600_000, 86_400_000]) };
    default:
      return { type };
  }
}

/** For people: one line. */
export function inWords(schedule: Schedule): string {
  const { codec, ranges, origin, link, store, steps, begins, mendedAtMs, bytesPerSecond, readTimeoutMs } =
    schedule;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return [
    `${begins}, ${codec}, ${bytesPerSecond} B/s${ranges ? '' : ', no ranges'}, reads wait ${readTimeoutMs} ms`,
    ...(origin.share > 0 ? [`origin ${percent(origin.share)}: ${origin.faults.join(' ')}`] : []),
    ...(link.share > 0 ? [`link ${percent(link.share)}: ${link.faults.join(' ')}`] : []),
    ...(store ? [`store ${JSON.stringify(store)}`] : []),
    steps.map(({ atMs, action }) => `${atMs} ms ${Object.values(action).join(' ')}`).join(', '),
    `mended at ${mendedAtMs} ms`,
  ].join('; ');
}

interface Dice {
  /** A whole number in [low, high]. */
  between(low: number, high: number): number;
  chance(share: number): boolean;
  one<T>(of: readonly T[]): T;
  /** `count` different ones, in any order. */
  some<T>(of: readonly T[], count: number): T[];
}

function diceOf(seed: number): Dice {
  const random = seededRandom(seed);
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
  const one = <T>(of: readonly T[]): T => of[between(0, of.length - 1)]!;
  return {
    between,
    one,
    chance: (share) => random() < share,
    some: (of, count) => {
      const left = [...of];
      return Array.from(
        { length: Math.min(count, left.length) },
        () => left.splice(between(0, left.length - 1), 1)[0]!,
      );
    },
  };
}
