import type { Image } from '../../image/image.ts';
import type {
  InspectedError,
  InspectedFetch,
  InspectedMadeFile,
  InspectedRead,
  Inspection,
} from '../../protocol/inspection.ts';
import type { BlockSpace } from './block-space.ts';

/**
 * All that the panel shows at one moment. A new one is made for each inspection; its parts are the same objects as before where nothing of them has
 * changed. Lists are oldest first, and have all that was told so far (of fetches: the last word on each), bounded.
 */
export interface Snapshot {
  readonly scope: string;
  /** What is published: tree, blobs, and by it whose a block is. */
  readonly image: Image;
  /** The published blocks of all blobs, one after the other. */
  readonly space: BlockSpace;
  /** By place in the space: see block-states.ts. It is changed in place from one snapshot to the next. */
  readonly states: Uint8Array<ArrayBuffer>;
  /** Grows when something in `states` has changed. */
  readonly statesVersion: number;
  readonly inspection: Inspection;
  /** Files made at run time. */
  readonly made: readonly InspectedMadeFile[];
  readonly reads: readonly InspectedRead[];
  readonly fetches: readonly InspectedFetch[];
  readonly errors: readonly InspectedError[];
}
