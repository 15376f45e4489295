import { type ErrorCode, SluiceError } from '../format/errors.ts';

/** What the names of DOMExceptions mean to the store. All others mean that the platform could not do it. */
const codes: Readonly<Record<string, ErrorCode>> = {
  // Locked by another handle: Chromium's and Firefox's word, and WebKit's.
  NoModificationAllowedError: 'EBUSY',
  InvalidStateError: 'EBUSY',
  QuotaExceededError: 'ENOSPC',
  NotFoundError: 'ENOENT',
  // Private windows (Firefox, Safari), permissions.
  SecurityError: 'unreadable',
  UnknownError: 'unreadable',
  NotAllowedError: 'unreadable',
  // A snapshot that a later write made stale.
  NotReadableError: 'unreadable',
};

/** An exception of the browser's file system as an error of the catalogue. */
export function fromPlatformError(error: unknown, path: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const name = error instanceof Error ? error.name : 'Error';
  const message = error instanceof Error ? error.message : String(error);
  return new SluiceError(codes[name] ?? 'unreadable', `${path}: ${name}: ${message}`, { path, cause: error });
}
