/**
 * The one catalogue of what can go wrong, shared by every runtime: each code with the HTTP status that the service worker answers with where
 * it can reach a page, 0 where it cannot. A failure that a reader can see always has one of these codes; its message says what
 * happened, and remedies.ts what to do about it.
 */
export const errorStatus = {
  // A read of published bytes: these travel in the `Sluice-Error` header.
  'read-timeout': 504,
  offline: 503,
  'bad-origin': 502,
  integrity: 502,
  'unsupported-image': 500,
  'corrupt-image': 500,
  'no-wasm': 500,
  // Opening bytes.
  'not-an-image': 500,
  unreadable: 500,
  // Calls between contexts.
  'call-timeout': 504,
  disconnected: 503,
  closed: 0,
  'no-service-worker': 0,
  // The store.
  'store-too-new': 0,
  'corrupt-store': 0,
  // Node's filesystem codes, in Node's sense.
  ENOENT: 404,
  EISDIR: 0,
  ENOTDIR: 0,
  EINVAL: 0,
  ERANGE: 0,
  E2BIG: 0,
  EBUSY: 0,
  ENOSPC: 0,
  EACCES: 0,
  EEXIST: 0,
  EMLINK: 0,
  ENOTEMPTY: 0,
  ENAMETOOLONG: 0,
  ENFILE: 0,
  EFBIG: 0,
  EBADF: 0,
  EADDRINUSE: 0,
  // Packing.
  'bad-name': 0,
  'bad-link': 0,
  'bad-file': 0,
  changed: 0,
  'no-runtime': 0,
  // Recording a launch.
  'no-browser': 0,
  'no-page': 0,
  'not-ready': 0,
} as const satisfies Record<string, number>;

export type ErrorCode = keyof typeof errorStatus;

/** An error with a code of the catalogue. Shaped like Node's errors: `err.code`, and `err.path` where one is known. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: ErrorCode;
  readonly path: string | undefined;

  constructor(code: ErrorCode, message: string, options: { path?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.path = options.path;
  }
}

/** Itself, or what it says as `unreadable`: what has no code is not foreseen. */
export function asSluiceError(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const words = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return new SluiceError('unreadable', words, { cause: error });
}

/** Its code; `unreadable` for what has none. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof SluiceError ? error.code : 'unreadable';
}

/** Whether it is a {@link SluiceError} with this code. */
export function isCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof SluiceError && error.code === code;
}

/** An error as it crosses a message port, where class identity is lost. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: string;
}

export function toWireError(error: unknown): WireError {
  const { code, message, path } = asSluiceError(error);
  return { code, message, ...(path === undefined ? {} : { path }) };
}

export function fromWireError(wire: WireError): SluiceError {
  return new SluiceError(wire.code, wire.message, wire.path === undefined ? {} : { path: wire.path });
}
