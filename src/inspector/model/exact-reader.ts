/** Reads so many bytes at a time from a stream of pieces of any length. */
export class ExactReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>;
  #piece: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.#reader = stream.getReader();
  }

  /** A copy of the next `length` bytes; fewer where the stream ends before that. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#piece.length === 0) {
        const { done, value } = await this.#reader.read();
        if (done) return bytes.subarray(0, filled);
        this.#piece = value;
      }
      const part = this.#piece.subarray(0, length - filled);
      bytes.set(part, filled);
      filled += part.length;
      this.#piece = this.#piece.subarray(part.length);
    }
    return bytes;
  }

  /** Nobody reads on. Never rejects: of a stream that has failed, {@link take} has told. */
  async end(): Promise<void> {
    await Promise.allSettled([this.#reader.cancel()]);
  }
}
