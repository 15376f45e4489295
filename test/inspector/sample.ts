import {
  type InspectedFetch,
  type InspectedRead,
  type Inspection,
  noSwitches,
} from '../../src/protocol/inspection.ts';

/** A read that found its block here, but for what is said. */
export function aRead(some: Partial<InspectedRead> = {}): InspectedRead {
  return { serial: 1, path: 'a.js', blob: 0, block: 0, at: 1000, atMs: 0, waitedMs: 0, ...some };
}

/** A request that brought ten blocks within 50 ms, but for what is said. */
export function aFetch(some: Partial<InspectedFetch> = {}): InspectedFetch {
  return {
    serial: 1,
    blob: 0,
    start: 0,
    end: 1000,
    kind: 'demand',
    sent: 1000,
    answered: 1020,
    ended: 1050,
    bytes: 1000,
    blocks: 10,
    verifyMs: 1,
    ...some,
  };
}

/** Of an image that is half here and that nobody reads, but for what is said. */
export function anInspection(some: Partial<Inspection> = {}): Inspection {
  return {
    cursor: { leader: 'leader', read: 0, fetch: 0, error: 0 },
    at: 2000,
    state: {
      image: 'a'.repeat(64),
      complete: false,
      blocks: { total: 20, present: 10 },
      bytes: { total: 2_000_000, present: 1_000_000, fetched: 1_000_000 },
      pendingReads: [],
      sequence: 0,
      copies: { files: 1, bytes: 300_000 },
      loader: {
        storage: 'opfs',
        activity: 'background',
        rate: 2_500_000,
        requests: 12,
        retries: 1,
        errors: 2,
        lastError: undefined,
        health: 'ok',
        lastReadError: undefined,
      },
    },
    blocks: new Uint32Array(),
    pending: [],
    made: [],
    reads: [],
    fetches: [],
    errors: [],
    queue: [
      { kind: 'demand', blocks: 0 },
      { kind: 'launch', blocks: 2 },
      { kind: 'background', blocks: 8 },
    ],
    link: { bytesPerSecond: 2_500_000, latencyMs: 50 },
    tabs: [{ loader: 'leader', image: 'a'.repeat(64), isLeader: true, isInspector: false }],
    versions: [
      {
        image: 'a'.repeat(64),
        inUse: true,
        isStored: true,
        lastUsed: 1500,
        bytes: 1_000_000,
        stored: { total: 2_000_000, present: 990_000 },
      },
      {
        image: 'b'.repeat(64),
        inUse: false,
        isStored: true,
        lastUsed: 500,
        bytes: 400_000,
        stored: undefined,
      },
    ],
    storage: {
      kind: 'opfs',
      room: { usage: 2_000_000, quota: 10_000_000 },
      journalBytes: 50_000,
      limits: { run: 0.1, cull: 0.07, stop: 0.03 },
      next: [],
    },
    switches: noSwitches,
    ...some,
  };
}
