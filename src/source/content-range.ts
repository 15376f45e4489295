/**
 * Whether a Content-Range value names exactly the asked bytes: `bytes <start>-<end-1>/<total or *>`. Anything but an
 * exact match is refused: a server that clamps or shifts would otherwise put bytes where they do not belong.
 */
export function isExactContentRange(
  value: string | null,
  start: number,
  end: number,
  total: number,
): boolean {
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(value?.trim() ?? '');
  if (!match) return false;
  const [, first, last, size] = match;
  return Number(first) === start && Number(last) === end - 1 && (size === '*' || Number(size) === total);
}
