import { SluiceError } from '../format/errors.ts';
import type { LaunchTrace, TraceRead } from '../pack/index.ts';
import { readJsonFile } from './json-file.ts';

/** A launch trace: what `window.sluice.readLog()` gives, as JSON. Reads that name no path are passed over. Throws `EINVAL` for other JSON. */
export function readTraceFile(path: string): LaunchTrace {
  return parseTrace(readJsonFile(path), path);
}

/** The same of a value that came out of JSON; `path` is for the error's words. */
export function parseTrace(json: unknown, path: string): LaunchTrace {
  const value = json as { readonly reads?: unknown } | null;
  if (!Array.isArray(value?.reads)) {
    throw new SluiceError('EINVAL', `${path} is no launch trace: it has no list of reads`, { path });
  }
  // What it tells of a range that is none is not used by the build.
  const isRead = (read: { readonly path?: unknown } | null): read is TraceRead =>
    typeof read?.path === 'string';
  return { reads: value.reads.filter(isRead) };
}
