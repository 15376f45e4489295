import type { BlobRecord } from '../../format/blob-record.ts';
import type { Clock } from '../../protocol/clock.ts';
import type {
  InspectedRead,
  InspectedTab,
  Inspection,
  InspectionCursor,
  InspectorSwitches,
  SiteOverview,
} from '../../protocol/inspection.ts';
import type { WorkerFacts } from '../../protocol/messages.ts';
import type { Engine, EngineParts } from '../engine.ts';
import type { ServiceState } from '../loader-service.ts';
import type { LocalBlocks } from '../local-blocks.ts';
import type { Mount } from '../mount.ts';
import { withRanges } from '../read-ranges.ts';
import { blockRuns } from './block-runs.ts';
import { inspectPending } from './inspect-pending.ts';
import { inspectQueue } from './inspect-queue.ts';
import { type StorageOutlook, StorageView, type StorageViewOptions } from './inspect-storage.ts';
import { madeFiles } from './made-files.ts';
import { marksOf } from './marks-of.ts';
import { RecentAnswer } from './recent-answer.ts';

export interface InspectorOptions extends StorageViewOptions {
  /** The leader's own name. */
  readonly loader: string;
  readonly engine: Engine;
  readonly local: LocalBlocks;
  readonly clock: Clock;
  readonly stateOf: (mount: Mount) => ServiceState;
  readonly switches: () => InspectorSwitches;
  /** What a service worker knows; undefined where there is none, or none that answers. Never rejects. */
  readonly facts?: (() => Promise<WorkerFacts | undefined>) | undefined;
}

/** The service worker has reads to answer: it is asked at most so often, however many inspectors there are. */
const factsMs = 500;
/** A clock of another context, or one that was set meanwhile, may differ by so much from ours. */
const clockSlackMs = 50;

/**
 * Answers an inspector by what the leader has anyway. What is remembered for it, asked for or not, are the last fetches, waits and errors (fetch-log.ts,
 * wait-steps.ts, error-log.ts); all else is computed when it is asked.
 */
export class Inspector {
  readonly #options: InspectorOptions;
  readonly #storage: StorageView;
  readonly #facts: RecentAnswer<WorkerFacts | undefined>;
  /** What makes Unix time of the clock's. */
  readonly #origin: number;

  constructor(options: InspectorOptions) {
    this.#options = options;
    this.#storage = new StorageView(options);
    const { clock, facts = async () => undefined } = options;
    this.#facts = new RecentAnswer(clock, factsMs, facts);
    this.#origin = performance.timeOrigin + performance.now() - options.clock.now();
  }

  /** What the mount's inspector has not seen yet, see InspectionCursor. */
  async inspect(mount: Mount, seen: InspectionCursor | undefined): Promise<Inspection> {
    const [outlook, facts] = await Promise.all([this.#storage.outlook(), this.#facts.get()]);
    return this.#now(mount, outlook, facts, seen);
  }

  /** Of a blob, where it is here. */
  async blockTable({ sha256 }: BlobRecord): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { engine, local } = this.#options;
    const known = engine.parts.blobs.get(sha256)?.table?.bytes;
    return known ?? (local.knows(sha256) ? local.readTable(sha256) : undefined);
  }

  /** All in one tick, so that what is told of one thing fits what is told of the other. */
  #now(
    mount: Mount,
    outlook: StorageOutlook,
    facts: WorkerFacts | undefined,
    seen: InspectionCursor | undefined,
  ): Inspection {
    const { loader, engine, local, clock, stateOf, switches } = this.#options;
    const { parts } = engine;
    const state = stateOf(mount);
    const leader = `${loader}/${mount.image.id}`;
    const after = seen?.leader === leader ? seen : { read: 0, fetch: 0, error: 0 };
    const now = clock.now();
    const blocks = blockRuns(mount.image.blobs(), {
      stored: (sha256) => local.known(sha256),
      isPinned: (sha256) => local.pinned(sha256),
      inMemory: state.loader.storage === 'memory' && !local.full,
      others: marksOf(parts, local),
    });
    const { rate: bytesPerSecond, latencyMs } = parts.flights.link;
    return {
      cursor: {
        leader,
        read: mount.log.last,
        fetch: parts.fetches.revision,
        error: parts.health.log.last,
      },
      at: this.#origin + now,
      state: facts ? { ...state, mappings: facts.mappings } : state,
      blocks,
      made: madeFiles(mount.tree, (sha256) => local.known(sha256)),
      pending: inspectPending(parts, mount, engine.pendingReads(mount), now),
      reads: this.#reads(parts, mount, after.read),
      fetches: parts.fetches.after(after.fetch, (sha256) => mount.indexOf(sha256), this.#origin),
      errors: parts.health.log.after(after.error),
      queue: inspectQueue(parts, mount, blocks),
      link: { bytesPerSecond, latencyMs },
      tabs: this.#tabs(facts),
      versions: this.#storage.versions(),
      storage: this.#storage.storage(state.loader.storage, outlook),
      switches: switches(),
    };
  }

  /** All images of the site. */
  async overview(kindOf: () => SiteOverview['kind']): Promise<SiteOverview> {
    const [facts] = await Promise.all([this.#facts.get(), this.#storage.outlook()]);
    return { tabs: this.#tabs(facts), versions: this.#storage.versions(), kind: kindOf() };
  }

  #tabs(facts: WorkerFacts | undefined): InspectedTab[] {
    const { care, loader } = this.#options;
    return care.uses().map((use) => {
      const page = facts?.pages.find((served) => served.loader === use.loader);
      const { path, isVisible } = page ?? {};
      return {
        ...use,
        isLeader: use.loader === loader,
        ...(path === undefined || isVisible === undefined ? {} : { page: { path, isVisible } }),
      };
    });
  }

  #reads({ fetches }: EngineParts, mount: Mount, after: number): InspectedRead[] {
    return withRanges(mount.tree, mount.log.after(after)).map((read): InspectedRead => {
      const at = mount.since + read.atMs;
      const blob = mount.tree.hasBlob(read.blob) ? mount.tree.blob(read.blob) : undefined;
      const steps = blob && fetches.waits.get(blob.sha256, read.block);
      const verified = steps && this.#origin + steps.verified;
      // Of this wait, and not of another reader's, or of an earlier one.
      const isIts =
        verified !== undefined &&
        verified >= at - clockSlackMs &&
        verified <= at + read.waitedMs + clockSlackMs;
      if (!isIts) return { ...read, at };
      return {
        ...read,
        at,
        steps: {
          sent: this.#origin + steps!.sent,
          answered: this.#origin + steps!.answered,
          arrived: this.#origin + steps!.arrived,
          verified,
        },
      };
    });
  }
}
