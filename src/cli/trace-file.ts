import { SluiceError } from '../format/errors.ts';
import type { LaunchTrace } from '../pack/launch-order.ts';
import { readJsonFile } from './json-file.ts';

/** A launch trace: what `window.sluice.readLog()` gives, as JSON. Reads that name no path are passed over. Throws `EINVAL` for other JSON. */
export function readTraceFile(path: string): LaunchTrace {
  const value = readJsonFile(path) as { readonly reads?: unknown } | null;
  if (!Array.isArray(value?.reads)) {
    throw new SluiceError('EINVAL', `${path} is no launch trace: it has no list of reads`, { path });
  }
  const reads = value.reads.flatMap((read: { readonly path?: unknown } | null) =>
    typeof read?.path === 'string' ? [{ path: read.path }] : [],
  );
  return { reads };
}
