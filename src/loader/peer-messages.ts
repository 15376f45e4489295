import type { WireError } from '../format/errors.ts';
import { channelName } from '../protocol/messages.ts';
import {
  hasShape,
  isBlockLength,
  isBytes,
  isCount,
  isMessageOf,
  isOneOf,
  isText,
  isWireError,
  type Shape,
} from '../protocol/shapes.ts';
import type { RemoteMethod, ServiceEvent } from './loader-service.ts';
import { argumentsOf, isServiceEvent } from './peer-shapes.ts';
import type { StoredBlock } from './stored-block.ts';

/**
 * What the loaders of one scope say to each other. On the scope's channel: who leads, and what happens. Calls go to the leader's
 * own channel and their answers to the caller's, so that blocks are not copied into every tab.
 */

/** Standby → all: a new standby looks for its leader. */
export interface WhoLeads {
  readonly type: 'who-leads';
}

/** Leader → all, when it begins to lead and when it is asked. A loader leads at most once: its name is the epoch. */
export interface Leads {
  readonly type: 'leads';
  readonly loader: string;
}

/** Leader → all. */
export interface Happened {
  readonly type: 'happened';
  readonly event: ServiceEvent;
}

export type ScopeMessage = WhoLeads | Leads | Happened;

/** Standby → leader. The arguments without functions and signals: for `readBlocks` the query alone. */
export interface PeerCall {
  readonly type: 'call';
  readonly from: string;
  readonly id: number;
  readonly method: RemoteMethod;
  readonly args: readonly unknown[];
}

/** Standby → leader: nobody waits for the call any more. */
export interface PeerCancel {
  readonly type: 'cancel';
  readonly from: string;
  readonly id: number;
}

export type ToLeader = PeerCall | PeerCancel;

/** Leader → standby: a block of a `readBlocks` call; more may follow. */
export interface PeerBlock {
  readonly type: 'block';
  readonly id: number;
  readonly block: number;
  readonly stored: StoredBlock;
}

export interface PeerResult {
  readonly type: 'result';
  readonly id: number;
  readonly value: unknown;
}

export interface PeerFailed {
  readonly type: 'failed';
  readonly id: number;
  readonly error: WireError;
}

export type FromLeader = PeerBlock | PeerResult | PeerFailed;

const scopeShapes: Record<ScopeMessage['type'], Shape> = {
  'who-leads': {},
  leads: { loader: isText },
  happened: { event: isServiceEvent },
};

const toLeaderShapes: Record<ToLeader['type'], Shape> = {
  call: { from: isText, id: isCount, method: isOneOf(...Object.keys(argumentsOf)), args: Array.isArray },
  cancel: { from: isText, id: isCount },
};

const storedShape: Shape = { codec: isCount, logicalLength: isBlockLength, bytes: isBytes };

const fromLeaderShapes: Record<FromLeader['type'], Shape> = {
  block: { id: isCount, block: isCount, stored: (value) => hasShape(value, storedShape) },
  result: { id: isCount },
  failed: { id: isCount, error: isWireError },
};

export function isScopeMessage(value: unknown): value is ScopeMessage {
  return isMessageOf(scopeShapes, value);
}

export function isToLeader(value: unknown): value is ToLeader {
  return isMessageOf(toLeaderShapes, value);
}

export function isFromLeader(value: unknown): value is FromLeader {
  return isMessageOf(fromLeaderShapes, value);
}

/** The BroadcastChannel on which a leader listens. */
export function inboxName(scope: string, loader: string): string {
  return `${channelName(scope)}:${loader}`;
}

/** The BroadcastChannel on which a standby hears the answers of one leader; a late word of an earlier one goes astray. */
export function replyName(scope: string, leader: string, standby: string): string {
  return `${inboxName(scope, leader)}:${standby}`;
}
