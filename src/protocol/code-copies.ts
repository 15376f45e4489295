/**
 * Second copies of code files (scripts, wasm) in Cache Storage. Chromium keeps compiled code for what comes from there, and for nothing that
 * comes from OPFS. One cache a scope, by the URL that was asked for: compiled code is written to the entry of that URL only.
 */
export function codeCacheName(scope: string): string {
  // Not below the prefix of the runtime's own caches, which retire each other.
  return `sluice-code:${scope}`;
}
