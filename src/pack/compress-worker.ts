import { parentPort, workerData } from 'node:worker_threads';
import { blockEncoders } from './block-encoders.ts';
import type { CompressJob, CompressResult, CompressSetup } from './compress-messages.ts';

// The entry of a compressing thread, see compress-pool.ts. Jobs that come before the encoder is ready wait in the port.
const port = parentPort!;
const encode = await blockEncoders(workerData as CompressSetup);

port.on('message', (job: CompressJob) => {
  const result: CompressResult = encode(job);
  port.postMessage(result, [result.stored.buffer]);
});
