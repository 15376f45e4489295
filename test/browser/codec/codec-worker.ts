/// <reference lib="webworker" />
import { decodeBlock } from '../../../src/codec/decode-block.ts';
import type { ZstdDecode } from '../../../src/codec/zstd-decoder.ts';
import { codecId } from '../../../src/format/codec-id.ts';
import { Image } from '../../../src/image/image.ts';

declare const self: DedicatedWorkerGlobalScope & { sluiceZstd?: { loadZstd(): Promise<ZstdDecode> } };

/** The decoder out of the built script, for it is the build that makes it independent of the page's policy. */
async function decodeAsShipped(stored: Uint8Array, length: number): Promise<Uint8Array | undefined> {
  self.importScripts('zstd.js');
  return (await self.sluiceZstd!.loadZstd())(stored, length);
}

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
  const decoding =
    data.codec === codecId.zstd
      ? decodeAsShipped(stored, data.length)
      : decodeBlock(data.codec, stored, data.length);
  const decoded = await decoding.then(
    (bytes) => [...(bytes ?? [])],
    (error: { code: string }) => error.code,
  );
  const image = await Image.open(Uint8Array.from(data.bootstrap));
  const paths = [...image.files()].map(({ path }) => path);
  self.postMessage({ decoded, paths } satisfies CodecReply);
};
