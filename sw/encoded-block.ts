/** A verified block as it is stored, with what decoding needs. */
export interface EncodedBlock {
  /** A codec id. */
  readonly codec: number;
  readonly logicalLength: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Takes one of the blocks that were asked for; they may come in any order. */
export type Deliver = (block: number, encoded: EncodedBlock) => void;
