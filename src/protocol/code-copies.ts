/**
 * Second copies of code files (scripts, wasm) in Cache Storage. Chromium keeps compiled code for what comes from there, and for nothing that
 * comes from OPFS. One cache a scope, by the URL that was asked for: compiled code is written to the entry of that URL only.
 */
export function codeCacheName(scope: string): string {
  // Not below the prefix of the runtime's own caches, which retire each other.
  return `sluice-code:${scope}`;
}

/** Whether a copy is what an answer with these headers would be, with no more isolation than they give: the tag of its content is one. */
export function isCopyOf(headers: Headers, copy: Response | undefined): copy is Response {
  if (copy === undefined) return false;
  const isSame = [...headers].every(([name, value]) => copy.headers.get(name) === value);
  // One that was made when the app was still isolated must not isolate a worker now.
  return (
    isSame && [...copy.headers.keys()].every((name) => !name.startsWith('cross-origin-') || headers.has(name))
  );
}
