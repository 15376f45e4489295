/// <reference lib="webworker" />
import { decodeBlock } from '../../../src/codec/decode-block.ts';
import { Image } from '../../../src/image/image.ts';
import { zstdOfSite } from '../../../src/loader/zstd-of-site.ts';
import { systemClock } from '../../../src/protocol/clock.ts';

declare const self: DedicatedWorkerGlobalScope;

/** As the loader has it: of the published file, under the page's policy. */
const zstd = zstdOfSite(new URL('./', self.location.href).href, {
  fetch: (input, init) => fetch(input, init),
  clock: systemClock,
  random: Math.random,
});

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
}

self.onmessage = async ({ data }: MessageEvent<CodecCall>) => {
  const stored = Uint8Array.from(data.stored);
  const decoding = decodeBlock(data.codec, stored, data.length, zstd);
  const decoded = await decoding.then(
    (bytes) => [...bytes],
    (error: { code: string }) => error.code,
  );
  const image = await Image.open(Uint8Array.from(data.bootstrap));
  const paths = [...image.files()].map(({ path }) => path);
  self.postMessage({ decoded, paths } satisfies CodecReply);
};
