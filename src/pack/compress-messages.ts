import type { CodecId, CodecName } from '../format/codec-id.ts';

/** What a compressing thread is started with. */
export interface CompressSetup {
  readonly codec: CodecName;
  /** zstd's, for what a recorded launch reads, and for everything else. */
  readonly launchLevel: number;
  readonly level: number;
}

/** Answered by one {@link CompressResult} each, in the order in which they came. `logical`'s buffer is transferred. */
export interface CompressJob {
  readonly logical: Uint8Array<ArrayBuffer>;
  readonly launch: boolean;
}

/** `stored`'s buffer is transferred. */
export interface CompressResult {
  readonly codec: CodecId;
  readonly stored: Uint8Array<ArrayBuffer>;
}
