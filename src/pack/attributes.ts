import { SluiceError } from '../format/errors.ts';
import { globToRegExp } from '../format/glob.ts';
import { isHeader } from '../format/header.ts';
import { maxMetaLength } from '../format/inode.ts';
import { utf8Encode } from '../format/utf8.ts';

/** What an app says of its files beyond their bytes: a path or a pattern → attributes. Where several match, the later one wins, field by field. */
export type Attributes = Readonly<Record<string, FileAttributes>>;

export interface FileAttributes {
  /** Content-Type, as it is sent. */
  readonly mime?: string;
  /** Extra response headers; those of several matches are put together. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Up to 512 bytes for the app's own use: a text, or bytes. */
  readonly meta?: string | { readonly base64: string };
}

/** A file's attributes, all matches together. */
export interface ResolvedAttributes {
  readonly mime?: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly meta?: Uint8Array<ArrayBuffer>;
}

/** Told by the answer itself, so that no attribute can make it lie. */
const ownHeaders = new Set([
  'accept-ranges',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
]);

/** Checks `attributes` (perhaps JSON from a file) whole; throws `EINVAL` naming the pattern and field. Returns what tells a path's attributes. */
export function attributesOf(attributes: unknown): (path: string) => ResolvedAttributes {
  if (!isRecord(attributes)) throw invalid('attributes must be an object of patterns');
  const rules = Object.entries(attributes).map(([pattern, value]) => parseRule(pattern, value));
  return (path) => {
    const headers = new Map<string, readonly [string, string]>();
    let mime: string | undefined;
    let meta: Uint8Array<ArrayBuffer> | undefined;
    for (const rule of rules) {
      if (!rule.pattern.test(path)) continue;
      mime = rule.mime ?? mime;
      meta = rule.meta ?? meta;
      for (const header of rule.headers) headers.set(header[0].toLowerCase(), header);
    }
    return {
      headers: [...headers.values()],
      ...(mime === undefined ? {} : { mime }),
      ...(meta === undefined ? {} : { meta }),
    };
  };
}

/** The patterns of checked `attributes` that none of `paths` matches. */
export function unmatchedPatterns(attributes: Attributes, paths: readonly string[]): string[] {
  return Object.keys(attributes).filter((pattern) => {
    const expression = globToRegExp(pattern);
    return !paths.some((path) => expression.test(path));
  });
}

interface Rule extends ResolvedAttributes {
  readonly pattern: RegExp;
}

function parseRule(pattern: string, value: unknown): Rule {
  if (!isRecord(value)) throw invalid(`"${pattern}" must have an object of mime, headers and meta`);
  const { mime, headers = {}, meta, ...others } = value;
  const [other] = Object.keys(others);
  if (other !== undefined) throw invalid(`"${pattern}" has "${other}", which is none of mime, headers, meta`);
  if (mime !== undefined && (typeof mime !== 'string' || !/^[\w.+-]+\/[\w.+-]+(?:[ ;][ -~]*)?$/.test(mime))) {
    throw invalid(`the mime of "${pattern}" must be a media type such as "text/html;charset=utf-8"`);
  }
  if (!isRecord(headers)) throw invalid(`the headers of "${pattern}" must be an object`);
  const pairs = Object.entries(headers).map(([name, text]) => {
    if (typeof text !== 'string' || !isHeader(name, text)) {
      throw invalid(`the header "${name}" of "${pattern}" must be a name and a line of ASCII text`);
    }
    if (ownHeaders.has(name.toLowerCase()))
      throw invalid(`the header "${name}" of "${pattern}" is told by the answer itself`);
    return [name, text] as const;
  });
  return {
    pattern: globToRegExp(pattern),
    headers: pairs,
    ...(mime === undefined ? {} : { mime }),
    ...(meta === undefined ? {} : { meta: parseMeta(pattern, meta) }),
  };
}

function parseMeta(pattern: string, meta: unknown): Uint8Array<ArrayBuffer> {
  const base64 = isRecord(meta) ? meta.base64 : undefined;
  const bytes =
    typeof meta === 'string'
      ? utf8Encode(meta)
      : typeof base64 === 'string'
        ? new Uint8Array(Buffer.from(base64, 'base64'))
        : undefined;
  if (bytes === undefined) throw invalid(`the meta of "${pattern}" must be a text or {"base64": "…"}`);
  if (bytes.length > maxMetaLength)
    throw invalid(`the meta of "${pattern}" has ${bytes.length} bytes, more than ${maxMetaLength}`);
  return bytes;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): SluiceError {
  return new SluiceError('EINVAL', message);
}
