import type { BlockTable } from '../format/block-table.ts';
import type { InspectorSwitches } from '../protocol/inspection.ts';
import type { NavigationMark } from './home.ts';
import type { BlockPlace } from './model/block-space.ts';
import type { Tasks } from './model/tasks.ts';

/**
 * What a view can ask for. Every action tells its outcome, good or bad, in the panel's status line; so none rejects unless it says so, and a
 * view need not wait for it but to show that it is under way.
 */
export interface InspectorActions {
  /** What takes its time, and what it came to. */
  readonly tasks: Tasks;
  /** The loader asks for nothing new; readers wait. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Those that are not named stay as they are. */
  setSwitches(switches: Partial<InspectorSwitches>): Promise<void>;
  prefetch(paths: readonly string[]): Promise<void>;
  /** No paths = the whole image. */
  pin(paths: readonly string[], pinned: boolean): Promise<void>;
  /** No paths = the whole image. */
  evict(paths: readonly string[]): Promise<void>;
  /** Compares all that is stored with its digests. */
  scrub(): Promise<void>;
  /** Checks the image's own structure: tree, extents, block tables that are here. */
  fsck(): Promise<void>;
  /** Downloads what `sluice build --trace` takes. */
  exportReadLog(): Promise<void>;
  /** Saves the complete image as a zip archive of its files, for {@link importImage} in a browser without a network. To be called while a click is being handled. */
  saveImage(): Promise<void>;
  importImage(file: Blob): Promise<void>;
  /** Copies a diagnostic report, without URL queries and without content. */
  report(): Promise<void>;
  /** Ends the loader that leads, as a closed tab would. */
  endLeader(): Promise<void>;
  /** A blob's block table as published; undefined where it is not here yet. Rejects with a SluiceError. */
  blockTable(blob: number): Promise<BlockTable | undefined>;
  /** See InspectorHome.marks; none where the home cannot tell. Rejects with a SluiceError. */
  marks(): Promise<readonly NavigationMark[]>;
  /** Shows something in the view that shows such things. */
  show(target: InspectorTarget): void;
}

/** What {@link InspectorActions.show} jumps to; the view finds it in its `target` property. */
export type InspectorTarget =
  | { readonly view: 'map'; readonly block: BlockPlace }
  | { readonly view: 'map'; readonly path: string }
  | { readonly view: 'files'; readonly path: string }
  /** A read, by its serial number. */
  | { readonly view: 'launch'; readonly read: number }
  | { readonly view: 'errors' };

/** One line at the panel's foot. */
export interface Notice {
  readonly kind: 'info' | 'good' | 'bad';
  readonly text: string;
}
