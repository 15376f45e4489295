import { parentPort, workerData } from 'node:worker_threads';
import { blockEncoder } from '../codec/encode-block.ts';
import type { CompressJob, CompressResult, CompressSetup } from './compress-messages.ts';
import { encodeWorthwhile } from './encode-worthwhile.ts';

// The entry of a compressing thread, see compress-pool.ts. Jobs that come before the encoder is ready wait in the port.
const { codec, level } = workerData as CompressSetup;
const port = parentPort!;
const encode = await blockEncoder(codec, level);

port.on('message', ({ logical }: CompressJob) => {
  const result: CompressResult = encodeWorthwhile(encode, logical);
  port.postMessage(result, [result.stored.buffer]);
});
