import type { Pieces } from './wire.ts';

export interface BridgeOptions {
  /** Name of the symbol under which the page has it. */
  readonly key: string;
  /** A panel that has not asked for so long has gone: all that was done for it ends. */
  readonly leaseMs: number;
  /** Characters that may wait for the panel. A message that does not fit ends its channel. */
  readonly mostWaiting: number;
  /** Characters that one exchange carries at most, each way. */
  readonly mostTaken: number;
}

/** One call of the panel and its answer, both ways. */
export interface Exchange extends Pieces {
  /** The sender of this has all pieces before this number. */
  readonly received: number;
  /** More waits than was taken. */
  readonly more: boolean;
}

/**
 * A line: the number of a channel, and what was posted on it. Channel 0 is for {@link ToBridge} and {@link FromBridge}; the other ones are BroadcastChannels of
 * the page, numbered by the panel.
 */
export type Line = readonly [channel: number, message: unknown];

export type ToBridge =
  | { readonly type: 'open'; readonly channel: number; readonly name: string }
  | { readonly type: 'close'; readonly channel: number }
  | { readonly type: 'release'; readonly lock: number }
  | BridgeCall;

/** Answered with the same id. */
export type BridgeCall =
  | { readonly type: 'hold'; readonly id: number; readonly name: string }
  | { readonly type: 'locks'; readonly id: number }
  | { readonly type: 'marks'; readonly id: number }
  /** Is it an app's page that Sluice serves? */
  | { readonly type: 'served'; readonly id: number };

export type FromBridge =
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
  /** The page has closed the channel: what came on it could not be carried. */
  | { readonly type: 'lost'; readonly channel: number; readonly why: 'too-much' | 'unreadable' };
