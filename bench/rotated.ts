/** The same in turn, beginning with another one at each `turn`: what comes first in a run has no advantage over many runs. */
export function rotated<T>(list: readonly T[], turn: number): T[] {
  const at = turn % Math.max(1, list.length);
  return [...list.slice(at), ...list.slice(0, at)];
}
