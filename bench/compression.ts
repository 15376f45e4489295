import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { decodeBlock } from '../src/codec/decode-block.ts';
import { blockEncoder, type EncodedBlock } from '../src/codec/encode-block.ts';
import { encodeWorthwhile } from '../src/pack/encode-worthwhile.ts';
import { zstdInNode } from '../src/pack/zstd-in-node.ts';
import { appNames, apps } from './apps.ts';
import { columns } from './columns.ts';
import { type LaunchContent, launchContent } from './launch-content.ts';
import { publish } from './publish.ts';
import { recordTrace } from './record-trace.ts';
import { summarize } from './statistics.ts';

const shifts = [16, 18, 20, 22];
const levels = [9, 15, 19];
const published = fileURLToPath(new URL('../.cache/bench/published/', import.meta.url));

/**
 * What each block size and level makes of what launches read: bytes, and processor time to pack and to decode them, which a busy machine does not spoil. Beside
 * it what a plain server sends. Blocks above the format's 1 MiB are tried as well, to know what they would be worth.
 */
export async function compression(runs: number): Promise<void> {
  for (const name of appNames) {
    const app = await apps[name].make();
    const trace = join(published, app.name, 'trace.json');
    if (!existsSync(trace)) await recordTrace(app, await publish(app, 'sluice'), trace);
    const content = await launchContent(app.dir, trace);
    console.log(`\n${name}\n${columns(await rowsOf(content, runs), 2)}`);
  }
}

async function rowsOf(content: LaunchContent, runs: number): Promise<string[][]> {
  const rows = [['', 'blocks', 'MB', '÷ gzip', 'pack, s', 'decode, ms']];
  const sent = (encode: (bytes: Uint8Array) => Uint8Array): number =>
    content.files.reduce((sum, bytes) => sum + encode(bytes).length, content.compressedBytes);
  const logical = sent((bytes) => bytes);
  const gzip = sent((bytes) => gzipSync(bytes, { level: 9 }));
  const row = (
    ...cells: [codec: string, blocks: string, bytes: number, pack?: number, decode?: number]
  ): void => {
    const [codec, blocks, bytes, pack, decode] = cells;
    const times = [pack?.toFixed(2) ?? '', decode?.toFixed(0) ?? ''];
    rows.push([codec, blocks, (bytes / 1e6).toFixed(3), (bytes / gzip).toFixed(3), ...times]);
  };
  row('as it is', '', logical);
  row('gzip 9', '', gzip);
  row(
    'brotli 11',
    '',
    sent((bytes) => brotliCompressSync(bytes, { params: brotliBest })),
  );
  for (const level of levels) {
    const encode = await blockEncoder('zstd', level);
    for (const shift of shifts) {
      const packing = processorMs();
      const blocks: { readonly encoded: EncodedBlock; readonly length: number }[] = [];
      for (const piece of content.pieces) {
        for (let at = 0; at < piece.length; at += 2 ** shift) {
          const logical = piece.slice(at, at + 2 ** shift);
          blocks.push({ encoded: encodeWorthwhile(encode, logical), length: logical.length });
        }
      }
      const seconds = packing() / 1000;
      const stored = blocks.reduce(
        (sum, { encoded }) => sum + encoded.stored.length,
        content.compressedBytes,
      );
      const decodes: number[] = [];
      for (let run = 0; run < runs; run++) {
        const decoding = processorMs();
        for (const { encoded, length } of blocks)
          await decodeBlock(encoded.codec, encoded.stored, length, zstdInNode);
        decodes.push(decoding());
      }
      row(`zstd ${level}`, `${2 ** (shift - 10)} KiB`, stored, seconds, summarize(decodes).median);
    }
  }
  return rows;
}

/** Begins to count this process's time on processors; what is answered tells it. */
function processorMs(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}

const brotliBest = {
  [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
  [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
};
