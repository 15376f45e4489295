import type { FromLoader, PageToServiceWorker, ToLoader } from './messages.ts';
import {
  hasShape,
  isArrayOf,
  isBlockCount,
  isBlockLength,
  isBoolean,
  isBytes,
  isCount,
  isDigest,
  isDuration,
  isInteger,
  isMessageOf,
  isOneOf,
  isOptional,
  isRelease,
  isServedRead,
  isText,
  isWireError,
  type Shape,
} from './shapes.ts';

const toLoaderShapes: Record<ToLoader['type'], Shape> = {
  alive: { lock: isText },
  'read-blocks': {
    id: isCount,
    image: isDigest,
    path: isText,
    blob: isCount,
    first: isBlockCount,
    count: isBlockCount,
    timeoutMs: isDuration,
    decoded: isOptional(isBoolean),
  },
  cancel: { id: isCount },
  'read-bootstrap': { id: isCount, image: isDigest },
  'provide-blocks': {
    image: isDigest,
    blocks: isArrayOf((value) => hasShape(value, { blob: isCount, block: isInteger, bytes: isBytes })),
  },
  'bringing-blocks': { image: isDigest, blob: isCount, first: isBlockCount, count: isBlockCount },
  'reads-served': {
    image: isDigest,
    life: isText,
    reads: isArrayOf(isServedRead),
  },
  'store-seen': { id: isCount },
  facts: {
    id: isCount,
    mappings: (value) => hasShape(value, { hits: isCount, misses: isCount, revalidations: isCount }),
    pages: isArrayOf((value) => hasShape(value, { loader: isText, path: isText, isVisible: isBoolean })),
  },
};

const fromLoaderShapes: Record<FromLoader['type'], Shape> = {
  hello: { version: isCount, loader: isText, role: isOneOf('leader', 'standby') },
  block: { id: isCount, block: isBlockCount, codec: isCount, logicalLength: isBlockLength, bytes: isBytes },
  failed: { id: isCount, error: isWireError },
  bootstrap: { id: isCount, bytes: isBytes },
  'store-changed': {
    sealed: isArrayOf(isDigest),
    dropped: isOptional(isArrayOf(isDigest)),
    id: isOptional(isCount),
  },
  'facts-wanted': { id: isCount },
  'image-complete': { image: isDigest },
};

const pageShapes: Record<PageToServiceWorker['type'], Shape> = {
  'sluice:loader-port': { version: isCount },
  'sluice:release': { release: isRelease },
  'sluice:has-path': { url: isText },
  'sluice:settings': { readTimeoutMs: isDuration },
  'sluice:mappings': {},
  'sluice:stay-awake': {},
};

/** Structural check of a message that came from a service worker (or a standby). */
export function isToLoader(value: unknown): value is ToLoader {
  return isMessageOf(toLoaderShapes, value);
}

/** Structural check of a message that came from a loader. */
export function isFromLoader(value: unknown): value is FromLoader {
  return isMessageOf(fromLoaderShapes, value);
}

/** Structural check of a message that came from a page. */
export function isPageMessage(value: unknown): value is PageToServiceWorker {
  return isMessageOf(pageShapes, value);
}

/** The call that a loader's message answers: what a {@link Channel} of the service worker takes as `replyTo`. */
export function repliesTo(message: FromLoader): number | undefined {
  // These are the loader's own questions, with numbers of its own.
  if (message.type === 'store-changed' || message.type === 'facts-wanted') return undefined;
  return 'id' in message ? message.id : undefined;
}
