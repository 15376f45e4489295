import type { EncodedBlock } from '../codec/encode-block.ts';
import { codecId } from '../format/codec-id.ts';
import type { BlobWriter } from './blob-writer.ts';
import type { CompressPool } from './compress-pool.ts';

/**
 * Turns logical blocks into stored ones: gives every distinct block a number, encodes several at once, and hands them to the
 * writer in the order of their numbers. At most `pool.width` blocks are in flight.
 */
export class BlockPacker {
  readonly #pool: CompressPool;
  readonly #writer: BlobWriter;
  readonly #onBytes: (bytes: number) => void;
  readonly #numbers = new Map<string, number>();
  readonly #inFlight: {
    encoded: Promise<EncodedBlock>;
    logicalLength: number;
    digest: Buffer<ArrayBuffer>;
  }[] = [];
  /** Logical bytes of blocks that were there already. */
  duplicateBytes = 0;

  #launch = true;

  /** `onBytes` is told of logical bytes that are done with: stored, or there already. */
  constructor(pool: CompressPool, writer: BlobWriter, onBytes: (bytes: number) => void) {
    this.#onBytes = onBytes;
    this.#pool = pool;
    this.#writer = writer;
  }

  /**
   * The number of the block with these bytes, which are taken over. `digest` is their SHA-256; `compressed` ones are stored as they are.
   */
  async add(
    logical: Uint8Array<ArrayBuffer>,
    digest: Buffer<ArrayBuffer>,
    compressed: boolean,
  ): Promise<number> {
    const logicalLength = logical.length;
    const key = digest.toString('latin1');
    const known = this.#numbers.get(key);
    if (known !== undefined) {
      this.duplicateBytes += logicalLength;
      this.#onBytes(logicalLength);
      return known;
    }
    const number = this.#numbers.size;
    this.#numbers.set(key, number);
    const raw: EncodedBlock = { codec: codecId.raw, stored: logical };
    const encoded = compressed ? Promise.resolve(raw) : this.#pool.encode({ logical, launch: this.#launch });
    // It is awaited when its turn comes; until then a failure must not count as unheard.
    encoded.catch(() => {});
    this.#inFlight.push({ encoded, logicalLength, digest });
    if (this.#inFlight.length >= this.#pool.width) await this.#store();
    return number;
  }

  /** What was added so far is what a launch needs: what comes next begins a blob. Answers how many distinct blocks it is. */
  endLaunch(): number {
    this.#launch = false;
    this.#writer.breakBefore(this.#numbers.size);
    return this.#numbers.size;
  }

  /** After the last block. */
  async finish(): Promise<void> {
    while (this.#inFlight.length > 0) await this.#store();
  }

  async #store(): Promise<void> {
    const { encoded, logicalLength, digest } = this.#inFlight.shift()!;
    this.#writer.add(await encoded, logicalLength, digest);
    this.#onBytes(logicalLength);
  }
}
