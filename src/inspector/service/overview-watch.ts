import { asSluiceError, type SluiceError } from '../../format/errors.ts';
import type { Clock } from '../../protocol/clock.ts';
import type { InspectedVersion, SiteOverview } from '../../protocol/inspection.ts';
import { WakeableWait } from '../../protocol/wakeable-wait.ts';
import type { InspectorHome } from '../home.ts';
import { LeaderLink } from './leader-link.ts';
import { openScopes } from './scopes.ts';

/** Between two looks at all sites. */
const everyMs = 1000;

/** A site of the origin, as it was not long ago. */
export interface SiteSummary {
  /** URL of its directory, with a trailing slash. */
  readonly scope: string;
  /** Some loader of it leads. */
  readonly isOpen: boolean;
  readonly tabs: SiteOverview['tabs'];
  /** undefined: not known yet. */
  readonly versions: readonly InspectedVersion[] | undefined;
  /** Where its blocks are kept; undefined for one that is not open. */
  readonly kind: SiteOverview['kind'] | undefined;
  /** Why the rest is not what it is now. */
  readonly error: SluiceError | undefined;
}

export interface OverviewWatchOptions {
  readonly home: InspectorHome;
  readonly clock: Clock;
  /** {@link OverviewWatch.sites} has changed. */
  readonly onChange: () => void;
}

/** Looks at all sites of the origin again and again, from when it is made until it is closed: open ones through their leaders, others in their stores. */
export class OverviewWatch {
  readonly #options: OverviewWatchOptions;
  readonly #pause: WakeableWait;
  readonly #links = new Map<string, LeaderLink>();
  readonly #sites = new Map<string, SiteSummary>();
  #isAwake = true;
  #isClosed = false;
  #error: SluiceError | undefined;
  #hasLooked = false;

  constructor(options: OverviewWatchOptions) {
    this.#options = options;
    this.#pause = new WakeableWait(options.clock);
    void this.#run();
  }

  /** By scope; undefined before the first look. */
  get sites(): readonly SiteSummary[] | undefined {
    if (!this.#hasLooked) return undefined;
    return [...this.#sites.values()].sort((a, b) => (a.scope < b.scope ? -1 : 1));
  }

  /** Why the sites cannot be listed. */
  get error(): SluiceError | undefined {
    return this.#error;
  }

  /** Nobody looks while it is not awake, so nothing is asked. */
  set awake(awake: boolean) {
    this.#isAwake = awake;
    if (awake) this.#pause.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#pause.wake();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      if (this.#isAwake) await this.#look();
      await this.#pause.wait(everyMs);
    }
  }

  async #look(): Promise<void> {
    const { home } = this.#options;
    try {
      const [open, known] = await Promise.all([openScopes(home), home.knownSites?.() ?? []]);
      if (this.#isClosed) return;
      this.#error = undefined;
      const all = new Set([...open, ...known]);
      for (const scope of this.#sites.keys()) if (!all.has(scope)) this.#sites.delete(scope);
      for (const [scope, link] of this.#links)
        if (!open.includes(scope)) {
          link.close();
          this.#links.delete(scope);
        }
      this.#hasLooked = true;
      // A site that is slow to answer does not hold up the others.
      await Promise.all(
        [...all].map(async (scope) => {
          await this.#lookAt(scope, open.includes(scope));
          if (!this.#isClosed) this.#options.onChange();
        }),
      );
    } catch (error) {
      this.#error = asSluiceError(error);
    }
    // There may be no site at all, or one less.
    if (!this.#isClosed) this.#options.onChange();
  }

  async #lookAt(scope: string, isOpen: boolean): Promise<void> {
    const known = this.#sites.get(scope);
    const before = {
      tabs: [],
      versions: undefined,
      kind: undefined,
      ...known,
      scope,
      isOpen,
      error: undefined,
    };
    try {
      this.#sites.set(scope, isOpen ? { ...before, ...(await this.#ask(scope)) } : await this.#read(before));
    } catch (error) {
      this.#sites.set(scope, { ...before, error: asSluiceError(error) });
    }
  }

  #ask(scope: string): Promise<SiteOverview> {
    const { home, clock } = this.#options;
    const link = this.#links.get(scope) ?? new LeaderLink({ home, scope, clock, onLeader: () => {} });
    this.#links.set(scope, link);
    return link.use('overview', (service) => service.overview());
  }

  /** Nobody writes to the store of a site that is not open: it is read once. */
  async #read(before: SiteSummary): Promise<SiteSummary> {
    const { home } = this.#options;
    const wasOpen = before.kind !== undefined;
    const isRead = before.versions !== undefined && !wasOpen;
    const versions = isRead ? before.versions : await home.storedImages?.(before.scope);
    return { ...before, tabs: [], kind: undefined, versions: versions ?? [] };
  }
}
