/**
 * The one catalogue of what can go wrong, shared by every runtime. A failure that a reader can see always has one of
 * these codes; the message says what happened, the remedy what to do about it.
 */

/** `status` is the HTTP answer of the service worker where the code can reach a page; 0 where it cannot. */
interface ErrorEntry {
  readonly status: number;
  readonly remedy: string;
}

export const errorCatalogue = {
  // A read of published bytes: these travel in the `Sluice-Error` header.
  'read-timeout': {
    status: 504,
    remedy: 'The bytes did not come in time. Try again, or raise readTimeoutMs for slow links.',
  },
  offline: {
    status: 503,
    remedy: 'These bytes are not stored yet and the network is away. Try again online.',
  },
  'bad-origin': {
    status: 502,
    remedy:
      'The server did not answer as a static host must. Check that the .bin files are deployed unchanged.',
  },
  integrity: {
    status: 502,
    remedy: 'The server sent bytes that do not match their digest. Run `sluice fsck` on the deployed site.',
  },
  'unsupported-image': {
    status: 500,
    remedy: 'The image was made by a newer sluicefs. Deploy its newer sw.js too.',
  },
  'corrupt-image': { status: 500, remedy: 'The image is damaged. Build and deploy it again.' },
  'no-wasm': {
    status: 500,
    remedy: "The page's policy forbids WebAssembly. Allow 'wasm-unsafe-eval', or build with --codec lz4.",
  },
  // Opening bytes.
  'not-an-image': { status: 500, remedy: 'This file is no sluice image. Check the path or URL.' },
  unreadable: {
    status: 500,
    remedy: 'The bytes could not be read. Check permissions and that the file exists.',
  },
  // Calls between contexts.
  'call-timeout': { status: 504, remedy: 'The other side did not answer in time. Try again.' },
  disconnected: { status: 503, remedy: 'The other side went away. The call may be repeated.' },
  closed: { status: 0, remedy: 'The mount was closed. Mount it again.' },
  'no-service-worker': {
    status: 0,
    remedy:
      'Open the page over https (or on localhost) in a current browser, outside modes that forbid service workers.',
  },
  // The store.
  'store-too-new': {
    status: 0,
    remedy: 'The local store was written by a newer sluicefs; it is left alone.',
  },
  'corrupt-store': { status: 0, remedy: 'The local store is damaged; it is made anew from the network.' },
  // Node's filesystem codes, in Node's sense.
  ENOENT: { status: 404, remedy: 'No such file or directory.' },
  EISDIR: { status: 0, remedy: 'This is a directory; name a file.' },
  ENOTDIR: { status: 0, remedy: 'A component of the path is not a directory.' },
  EINVAL: { status: 0, remedy: 'The argument is not valid.' },
  ERANGE: { status: 0, remedy: 'The index or range lies outside.' },
  E2BIG: { status: 0, remedy: 'More data than the target holds.' },
  EBUSY: { status: 0, remedy: 'It is in use. Try again when the other user is done.' },
  ENOSPC: { status: 0, remedy: 'Free some space, or choose another place for the output.' },
  EACCES: { status: 0, remedy: 'Permission denied. Check the owner and mode.' },
  EEXIST: { status: 0, remedy: 'Choose a name that is not taken.' },
  EMLINK: { status: 0, remedy: 'A directory has one name only. Make a directory of its own.' },
  ENOTEMPTY: { status: 0, remedy: 'Remove what is in the directory first.' },
  ENAMETOOLONG: { status: 0, remedy: 'Names have at most 255 bytes of UTF-8, paths 4096.' },
  ENFILE: { status: 0, remedy: 'Too many files were made at run time. Remove some.' },
  EFBIG: {
    status: 0,
    remedy: 'A file made at run time may not be so large. Use larger blocks, or several files.',
  },
  EBADF: { status: 0, remedy: 'The handle was closed. Open the file again.' },
  EADDRINUSE: { status: 0, remedy: 'Choose another port with --port, or end the other server.' },
  // Packing.
  'bad-name': { status: 0, remedy: 'Rename it, or keep it out of the app directory.' },
  'bad-link': { status: 0, remedy: 'Replace the link by what it points to, or remove it.' },
  'bad-file': { status: 0, remedy: 'Only files, directories and links to them can be packed. Remove it.' },
  changed: { status: 0, remedy: 'Build again when nothing writes to the app directory.' },
  'no-runtime': {
    status: 0,
    remedy: 'Run `npm run build` first: it makes the files that go into every site.',
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof errorCatalogue;

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

  /** What the reader of the message can do about it. */
  get remedy(): string {
    return errorCatalogue[this.code].remedy;
  }
}

/** An error as it crosses a message port, where class identity is lost. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path?: string;
}

export function toWireError(error: unknown): WireError {
  if (error instanceof SluiceError) {
    return {
      code: error.code,
      message: error.message,
      ...(error.path === undefined ? {} : { path: error.path }),
    };
  }
  return {
    code: 'unreadable',
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  };
}

export function fromWireError(wire: WireError): SluiceError {
  return new SluiceError(wire.code, wire.message, wire.path === undefined ? {} : { path: wire.path });
}
