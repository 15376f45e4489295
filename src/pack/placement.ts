/** Where the bytes of a file lie: in blocks counted in the order in which they were stored first. */
export interface Placement {
  /** All but the last have a logical length of 2^shift. Empty for an empty file. */
  readonly blocks: readonly number[];
  readonly shift: number;
  /** Logical bytes from the start of the first block. */
  readonly blockOffset: number;
}
