/**
 * Where to put a script into HTML so that it runs before every script of the page and changes nothing else: right behind
 * `<head>`; where there is none, behind `<html>`, else behind the doctype, else at the start. Never before a doctype:
 * that would switch the page to quirks mode.
 *
 * Looks only at what may come before the head (white space, comments, doctype, the two tags), as the HTML standard's
 * tree construction does. Bytes are read as ASCII, which is right for every encoding of the web but UTF-16.
 *
 * `bytes` is the beginning of the file, as much as is at hand. Undefined for UTF-16 (byte order mark or NUL bytes).
 */
export function injectionOffset(bytes: Uint8Array): number | undefined {
  if (isUtf16(bytes)) return undefined;
  // One byte is one character here, so offsets in the text are offsets in the bytes.
  const text = latin1(bytes.subarray(0, scanLimit));
  let at = text.startsWith('\xef\xbb\xbf') ? 3 : 0;
  let offset = at;
  for (;;) {
    at += /^[\t\n\f\r ]*/.exec(text.slice(at))![0].length;
    const rest = text.slice(at);
    const token = comment.exec(rest) ?? bogusComment.exec(rest) ?? anchor.exec(rest);
    if (!token) return offset;
    at += token[0].length;
    // The script may stand behind a doctype or tag; a comment moves nothing.
    const name = token.groups?.name?.toLowerCase();
    if (name !== undefined) offset = at;
    if (name === 'head') return offset;
  }
}

/** The bytes that a page gets instead of `bytes`; the same array where nothing can be injected. */
export function inject(bytes: Uint8Array<ArrayBuffer>, script: Uint8Array): Uint8Array<ArrayBuffer> {
  const offset = injectionOffset(bytes);
  if (offset === undefined) return bytes;
  const result = new Uint8Array(bytes.length + script.length);
  result.set(bytes.subarray(0, offset));
  result.set(script, offset);
  result.set(bytes.subarray(offset), offset + script.length);
  return result;
}

/** A head that begins later is not looked for; the script then goes where the search had come to. */
const scanLimit = 64 * 1024;

/** `<!-->` and `<!--->` are comments too, and `--!>` ends one. */
const comment = /^<!--(?:-?>|[\s\S]*?--!?>)/;
const bogusComment = /^<(?:\?|!(?!--|doctype))[^>]*>/i;
/** Attribute values in quotes may contain `>`. Each character can be matched in one way only: linear time. */
const anchor = /^<(?<name>!doctype|(?:html|head)(?=[\t\n\f\r />]))(?:"[^"]*"|'[^']*'|[^>"'])*>/i;

function isUtf16(bytes: Uint8Array): boolean {
  const [a, b] = bytes;
  return (
    (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (bytes.length > 1 && (a === 0 || b === 0))
  );
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}
