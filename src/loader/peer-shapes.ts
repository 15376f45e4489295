import type { TreeOperation } from '../format/tree-operation.ts';
import {
  type FieldCheck,
  hasShape,
  isArrayOf,
  isBoolean,
  isBytes,
  isCount,
  isDigest,
  isDuration,
  isInteger,
  isMessageOf,
  isNumber,
  isOneOf,
  isOptional,
  isRelease,
  isServedRead,
  isText,
  type Shape,
} from '../protocol/shapes.ts';
import type { RemoteMethod, ServiceEvent } from './loader-service.ts';

/**
 * What the arguments of a call from another tab, and the news of a leader, must look like. Any page of the origin can speak on the channels, so that whoever does
 * it by mistake, or is of another version, must not bring a loader down.
 */

const isTexts = isArrayOf(isText);
const isKey: FieldCheck = (value) => hasShape(value, { file: isText, offset: isNumber });
const isOpen: FieldCheck = (value) =>
  hasShape(value, {
    loader: isText,
    release: isOptional(isRelease),
    background: isBoolean,
    isInspector: isOptional(isBoolean),
  });
const isRun: FieldCheck = (value) => hasShape(value, { blob: isCount, first: isCount, count: isCount });
const isQuery: FieldCheck = (value) =>
  isRun(value) && hasShape(value, { image: isDigest, path: isText, timeoutMs: isDuration });
const isProvided: FieldCheck = (value) =>
  hasShape(value, { block: isInteger, bytes: isBytes }) &&
  (hasShape(value, { blob: isCount }) || hasShape(value, { path: isText }));
const isFsmapQuery: FieldCheck = (value) =>
  hasShape(value, { low: isOptional(isKey), high: isOptional(isKey), limit: isOptional(isCount) });

const isCursor: FieldCheck = (value) =>
  hasShape(value, { leader: isText, read: isCount, fetch: isCount, error: isCount });
const isInspectQuery: FieldCheck = (value) =>
  hasShape(value, { image: isOptional(isDigest), cursor: isOptional(isCursor) });
const isSwitches: FieldCheck = (value) =>
  hasShape(value, {
    isPaused: isBoolean,
    isOffline: isBoolean,
    bytesPerSecond: isCount,
    delayMs: isDuration,
    failNext: isCount,
  });

const operations: Record<TreeOperation['type'], Shape> = {
  'create-file': {
    path: isText,
    size: isNumber,
    blockSize: isNumber,
    mime: isText,
    meta: isBytes,
    content: isOptional(isBytes),
  },
  mkdir: { path: isText, recursive: isBoolean },
  link: { existing: isText, path: isText },
  unlink: { path: isText },
  rmdir: { path: isText },
  'set-meta': { path: isText, meta: isBytes },
};
const isOperation: FieldCheck = (value) => isMessageOf(operations, value);

/** In order. What is behind them is not looked at, and not given to the method. */
export const argumentsOf: Readonly<Record<RemoteMethod, readonly FieldCheck[]>> = {
  open: [isOpen],
  readBlocks: [isQuery],
  readBootstrap: [isDigest],
  provideBlocks: [isDigest, isArrayOf(isProvided)],
  expectBlocks: [isDigest, isRun],
  pendingReads: [isDigest, isNumber, isDuration],
  state: [isDigest],
  logReads: [isDigest, isText, isArrayOf(isServedRead)],
  readLog: [isDigest],
  setReadLog: [isDigest, isNumber],
  launched: [isDigest],
  flush: [],
  stat: [isDigest, isText],
  readdir: [isDigest, isText],
  read: [isDigest, isText, isNumber, isNumber, isDuration],
  prefetch: [isDigest, isTexts, isOneOf('demand', 'launch', 'background')],
  filledRanges: [isDigest, isText],
  changeTree: [isDigest, isOperation, isDigest],
  pin: [isDigest, isTexts, isBoolean],
  evict: [isDigest, isTexts],
  scrub: [isDigest],
  fsmap: [isDigest, isFsmapQuery],
  inspect: [isInspectQuery],
  overview: [],
  blockTable: [isDigest, isCount],
  setSwitches: [isSwitches],
  endLeader: [],
};

const isProgress: FieldCheck = (value) =>
  hasShape(value, {
    present: isCount,
    total: isCount,
    rate: isNumber,
    complete: isBoolean,
    waitingFor: isOptional(isText),
  });

const events: Record<ServiceEvent['type'], Shape> = {
  progress: { image: isDigest, progress: isProgress },
  sealed: { blobs: isArrayOf(isDigest) },
  dropped: { blobs: isArrayOf(isDigest) },
  complete: { image: isDigest },
  evicted: { image: isDigest },
  culled: {},
  'changed-tree': { image: isDigest, sequence: isCount },
  release: { release: isRelease, gone: isArrayOf(isDigest) },
};

export const isServiceEvent: FieldCheck = (value) => isMessageOf(events, value);
