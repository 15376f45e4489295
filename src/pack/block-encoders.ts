import { blockEncoder, type EncodedBlock } from '../codec/encode-block.ts';
import type { CompressJob, CompressSetup } from './compress-messages.ts';
import { encodeWorthwhile } from './encode-worthwhile.ts';

/** Does the jobs of one thread, at once and in their order. */
export async function blockEncoders({
  codec,
  launchLevel,
  level,
}: CompressSetup): Promise<(job: CompressJob) => EncodedBlock> {
  const inLaunch = await blockEncoder(codec, launchLevel);
  const others = await blockEncoder(codec, level);
  return ({ logical, launch }) => encodeWorthwhile(launch ? inLaunch : others, logical);
}
