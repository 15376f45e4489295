/// <reference lib="webworker" />
import { decodeBlock } from '../../../src/codec/decode-block.ts';
import { Image } from '../../../src/image/image.ts';

declare const self: DedicatedWorkerGlobalScope;

export interface CodecCall {
  readonly codec: number;
  readonly stored: readonly number[];
  readonly length: number;
  readonly bootstrap: readonly number[];
}

export interface CodecReply {
  /** The decoded bytes, or the code of the error. */
  readonly decoded: readonly number[] | string;
  readonly paths: readonly string[];
  /** Whether the global fetch still is the platform's. */
  readonly nativeFetch: boolean;
}

self.onmessage = async ({ data }: MessageEvent<CodecCall>) => {
  const decoded = await decodeBlock(data.codec, Uint8Array.from(data.stored), data.length).then(
    (bytes) => [...bytes],
    (error: { code: string }) => error.code,
  );
  const image = await Image.open(Uint8Array.from(data.bootstrap));
  const paths = [...image.files()].map(({ path }) => path);
  const nativeFetch = String(self.fetch).includes('[native code]');
  self.postMessage({ decoded, paths, nativeFetch } satisfies CodecReply);
};
