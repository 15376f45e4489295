import type { MessageEndpoint } from '../protocol/channel.ts';
import type { InspectedVersion } from '../protocol/inspection.ts';

/**
 * Where a panel lives, and how its messages get to the loaders of the site: in a page of the origin directly, in DevTools through the page that is inspected.
 * It carries, and understands nothing of what it carries.
 */
export interface InspectorHome {
  /** A BroadcastChannel of the inspected origin. What is posted may hold bytes. */
  newChannel(name: string): MessageEndpoint;
  /** Holds a Web Lock of the inspected origin until the answer is called, or the panel goes away, in whatever way. */
  holdLock(name: string): Promise<() => void>;
  /** The names of the Web Locks that are held in the inspected origin. */
  heldLocks(): Promise<readonly string[]>;
  /** URL of the site directory that is to be looked at first, with a trailing slash; undefined: any that is found. */
  readonly scope: string | undefined;
  /** Where it can be told: the sites of the origin that this browser has something of, open or not. As {@link scope}, sorted. */
  knownSites?(): Promise<readonly string[]>;
  /** Where it can: what the store has of a site that nobody has open. */
  storedImages?(scope: string): Promise<readonly InspectedVersion[]>;
  /** What the inspected page's navigation has come to; missing where a home cannot see the page. */
  marks?(): Promise<readonly NavigationMark[]>;
  /** Where it can: starts a loader of the site that completes nothing and lets the panel look into the store; the answer ends it. */
  startLoader?(scope: string): Promise<() => void>;
}

/** A moment of a page's navigation, as Navigation Timing and Paint Timing name it. */
export interface NavigationMark {
  /** `navigationStart`, `responseStart`, `domInteractive`, `domContentLoaded`, `load`, `first-paint`, `first-contentful-paint`. */
  readonly name: string;
  /** Milliseconds since 1970 with fractions: the axis of an Inspection. */
  readonly at: number;
}
