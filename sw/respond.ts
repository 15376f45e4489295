import type { FileTree } from '../src/image/file-tree.ts';
import type { Inode } from '../src/image/image.ts';
import { deferred } from '../src/protocol/deferred.ts';
import type { BlockReader } from './block-reader.ts';
import { BlockWindow, type BlockWindowOptions, type WindowOptions } from './block-window.ts';
import { type CodeCopies, isCode } from './code-copies.ts';
import { type Conditions, isNotModified, isOfAnother, rangeCounts } from './conditional.ts';
import { contentRange, entityHeaders, etagOf, validatorHeaders } from './headers.ts';
import { inject } from './inject.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { parseRange } from './range.ts';
import type { ServedReads } from './served-reads.ts';

/** What to answer with. */
export interface Answerable {
  readonly image: FileTree;
  readonly inode: number;
  /** Decoded, without a leading slash; for people. */
  readonly path: string;
  /** To be put into the file if it is HTML; given for navigations only, everything else gets the bytes as they are. */
  readonly clientScript?: Uint8Array<ArrayBuffer>;
}

export interface AnswerSources {
  readonly reader: Pick<BlockReader, 'read'>;
  readonly local: () => Promise<Pick<LocalBlocks, 'rawSlices'> | undefined>;
  readonly served: Pick<ServedReads, 'note'>;
  readonly copies: Pick<CodeCopies, 'match'>;
}

/** An answer, and when its body has been handed over (or given up): until then the event must be kept alive. */
export interface Answer {
  readonly response: Response;
  readonly finished: Promise<void>;
}

const now: Promise<void> = Promise.resolve();

/**
 * Answers a GET or HEAD for a file of the image. What needs no bytes (HEAD, 304, 412, 416) reads none. The first block decides the status: this
 * rejects with its error. A later failure errors the body, so that nobody takes it for a whole one.
 */
export async function respond(
  request: Request,
  what: Answerable,
  sources: AnswerSources,
  options: WindowOptions,
): Promise<Answer> {
  const { image } = what;
  const inode = image.inode(what.inode);
  const { size } = inode;
  const isolate = image.crossOriginIsolate;
  const rangeHeader = request.method === 'GET' ? request.headers.get('Range') : null;
  const script = injectable(inode, rangeHeader) ? what.clientScript : undefined;
  const etag = etagOf(inode.tag, script !== undefined);
  const conditions: Conditions = {
    ifNoneMatch: request.headers.get('If-None-Match'),
    ifRange: request.headers.get('If-Range'),
  };

  if (isOfAnother(request.headers.get('If-Match'), etag))
    return bodiless(412, validatorHeaders(inode, etag, isolate));
  if (isNotModified(conditions, etag)) {
    return bodiless(304, validatorHeaders(inode, etag, isolate));
  }
  if (request.method === 'HEAD') return bodiless(200, entityHeaders(inode, etag, size, isolate));

  const asked = parseRange(rangeCounts(conditions, etag) ? rangeHeader : null, size);
  if (asked.kind === 'unsatisfiable') {
    const headers = validatorHeaders(inode, etag, isolate);
    headers.set('Content-Range', contentRange(size));
    return bodiless(416, headers);
  }
  if (asked.kind === 'none' && !script && isCode(request, inode.mime, size)) {
    const { url } = request;
    const copy = await sources.copies.match(url, entityHeaders(inode, etag, size, isolate));
    noteCode(what, size, sources, url, copy !== undefined);
    if (copy) return { response: copy, finished: now };
  }
  const range = asked.kind === 'one' ? asked : { start: 0, end: size };
  const whole = asked.kind === 'none' && isTakenWhole(request, inode);
  const body = await openBody(what, range, script, sources, { ...options, whole });
  const headers = entityHeaders(inode, etag, body.length, isolate);
  if (asked.kind === 'one') headers.set('Content-Range', contentRange(size, range));
  const response = new Response(body.content, { status: asked.kind === 'one' ? 206 : 200, headers });
  return { response, finished: body.finished };
}

/** The loader is told what is read as code; the blocks count as read here where the copy stands for them. */
function noteCode(
  { image, inode, path }: Answerable,
  size: number,
  { served }: AnswerSources,
  code: string,
  isCopied: boolean,
): void {
  for (const { blob, firstBlock: first, blockCount } of image.mapExtents(inode, 0, size)) {
    const count = isCopied ? blockCount : 0;
    served.note(image.id, { path, blob, first, count, at: Date.now(), waitedMs: 0, code });
    if (!isCopied) return;
  }
}

interface Body {
  readonly content: Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Bytes. */
  readonly length: number;
  readonly finished: Promise<void>;
}

async function openBody(
  { image, inode, path }: Answerable,
  range: { readonly start: number; readonly end: number },
  script: Uint8Array | undefined,
  sources: AnswerSources,
  options: BlockWindowOptions,
): Promise<Body> {
  const length = range.end - range.start;
  if (!script) {
    const slices = await (await sources.local())?.rawSlices(image, inode, range.start, range.end);
    if (slices) {
      for (const { blob, firstBlock: first, blockCount: count } of image.mapExtents(
        inode,
        range.start,
        range.end,
      ))
        sources.served.note(image.id, { path, blob, first, count, at: Date.now(), waitedMs: 0 });
      return { content: slices, length, finished: now };
    }
  }
  const window = new BlockWindow(sources.reader, image, { inode, path }, range, options);
  let first: Uint8Array<ArrayBuffer>;
  try {
    first = length === 0 ? new Uint8Array(0) : await window.take();
  } catch (error) {
    window.close();
    throw error;
  }
  const plainLength = first.length;
  if (script) first = inject(first, script);
  const bodyLength = length - plainLength + first.length;
  if (window.done) return { content: first, length: bodyLength, finished: now };
  return { ...streamOf(first, window), length: bodyLength };
}

/** One block a pull, so that the browser's appetite bounds what is held. */
function streamOf(
  first: Uint8Array<ArrayBuffer>,
  window: BlockWindow,
): { content: ReadableStream<Uint8Array<ArrayBuffer>>; finished: Promise<void> } {
  const { promise: finished, resolve: finish } = deferred();
  const source: UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> = {
    start: (controller) => controller.enqueue(first),
    pull: async (controller) => {
      try {
        controller.enqueue(await window.take());
        if (!window.done) return;
        controller.close();
      } catch (error) {
        window.close();
        controller.error(error);
      }
      finish();
    },
    cancel: () => {
      window.close();
      finish();
    },
  };
  return { content: new ReadableStream(source, { highWaterMark: 1 }), finished };
}

function bodiless(status: number, headers: Headers): Answer {
  return { response: new Response(null, { status, headers }), finished: now };
}

/** What the browser itself asks for, unless it plays it; of what a script asks for, who knows. */
function isTakenWhole({ destination }: Request, { mime }: Inode): boolean {
  return destination === '' ? mime === 'application/wasm' : !/audio|video/.test(destination);
}

/** A part of HTML is not a document; whoever asks for one (a download that goes on) wants the bytes. */
function injectable(inode: Inode, rangeHeader: string | null): boolean {
  return rangeHeader === null && /^text\/html\b/i.test(inode.mime ?? '');
}
