import { type ErrorCode, SluiceError } from '../format/errors.ts';

/** Node's codes that have a name of their own in the catalogue; everything else is `unreadable`. */
const codes: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'ENOENT',
  ENOTDIR: 'ENOTDIR',
  EISDIR: 'EISDIR',
  EACCES: 'EACCES',
  EPERM: 'EACCES',
  EROFS: 'EACCES',
  EBUSY: 'EBUSY',
  EEXIST: 'EEXIST',
  ENOTEMPTY: 'EEXIST',
  ENOSPC: 'ENOSPC',
  EDQUOT: 'ENOSPC',
  ENAMETOOLONG: 'bad-name',
};

/**
 * The one table from Node's filesystem errors to ours. `doing` tells what was being done ("read", "write"); an error that is a SluiceError
 * already is given back as it is.
 */
export function fromNodeError(cause: unknown, doing: string, path: string): SluiceError {
  if (cause instanceof SluiceError) return cause;
  const code = nodeCode(cause);
  const why = cause instanceof Error ? cause.message.replace(/, \w+ '[\s\S]*$/, '') : String(cause);
  return new SluiceError(codes[code ?? ''] ?? 'unreadable', `cannot ${doing} ${path}: ${why}`, {
    path,
    cause,
  });
}

/** `ENOENT` and its like; undefined for an error that is none of the operating system's. */
export function nodeCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : undefined;
}
