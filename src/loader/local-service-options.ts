import type { StartZstd } from '../codec/zstd-decoder.ts';
import type { MessageEndpoint } from '../protocol/channel.ts';
import type { Clock } from '../protocol/clock.ts';
import type { WorkerFacts } from '../protocol/messages.ts';
import { HttpSource } from '../source/http-source.ts';
import { PortSource } from '../source/port-source.ts';
import type { Directory } from '../store/directory.ts';
import type { CodeCopiesOptions } from './code-copies.ts';
import type { Room } from './culling.ts';
import type { LoaderLocks } from './image-uses.ts';
import type { ServiceEvent } from './loader-service.ts';

/** What a leader's service needs of its platform and of its loader. */
export interface LocalServiceOptions {
  /** URL of the site directory, with a trailing slash. */
  readonly scope: string;
  readonly fetch: typeof fetch;
  readonly zstd: StartZstd;
  /** Where blocks and bootstraps come from instead of HTTP: a page's source, see source-port.ts. */
  readonly source?: MessageEndpoint | undefined;
  /** The leader's own name. */
  readonly loader: string;
  readonly locks: LoaderLocks;
  /** How much of the quota is used; undefined where the platform does not tell. */
  readonly estimate: () => Promise<Room | undefined>;
  /** Cache Storage; undefined where the browser gives none. */
  readonly caches?: CodeCopiesOptions['caches'] | undefined;
  readonly clock: Clock;
  /** In [0, 1): for jitter. */
  readonly random: () => number;
  /** The scope's folder; undefined, with the reason, where the browser gives none. */
  readonly directory: Directory | undefined;
  /** Settles when service workers have said what they are bringing, before the first plan. Default: there are none. */
  readonly told?: () => Promise<void>;
  /** Settles when the leader's own service worker answers by what is on disk now. Default: there is none. */
  readonly seen?: () => Promise<void>;
  /** What the leader's own service worker knows; undefined where there is none, or none that answers. Default: there is none. */
  readonly facts?: () => Promise<WorkerFacts | undefined>;
  readonly onEvent: (event: ServiceEvent) => void;
  /** This leader should end, and the next one begin: `lost`, the store was taken away under us; `back`, it could not be opened, and can be now. */
  readonly onStore: (what: 'lost' | 'back') => void;
  /** Ends this loader at once, as if its tab had been killed. */
  readonly end: () => void;
  /** See HttpSource and PortSource. */
  readonly stallMs?: number;
}

/** Where published bytes come from: the page's own source, or the site. */
export function openSource({
  scope: base,
  fetch,
  source: port,
  clock,
  stallMs,
}: LocalServiceOptions): HttpSource | PortSource {
  const patience = stallMs === undefined ? {} : { stallMs };
  return port ? new PortSource({ port, clock, ...patience }) : new HttpSource({ base, fetch, ...patience });
}
