/**
 * Second copies of code files (scripts, wasm) in Cache Storage. Chromium keeps compiled code for what comes from there, and for nothing that
 * comes from OPFS. One cache a scope, by the URL that was asked for: compiled code is written to the entry of that URL only.
 */
export function codeCacheName(scope: string): string {
  // Not below the prefix of the runtime's own caches, which retire each other.
  return `sluice-code:${scope}`;
}

/** Whether a copy is what an answer with these headers would be: the tag of its content is one of them. */
export function isCopyOf(headers: Headers, copy: Response | undefined): copy is Response {
  return copy !== undefined && [...headers].every(([name, value]) => copy.headers.get(name) === value);
}
