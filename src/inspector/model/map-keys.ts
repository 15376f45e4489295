import type { MapLayout } from './map-layout.ts';

/** The cell to which a key leads from the cell `at` (undefined: from none); a page is `height` pixels high. Undefined for any other key, and in an empty map. */
export function cellByKey(
  layout: MapLayout,
  key: string,
  at: number | undefined,
  height: number,
): number | undefined {
  if (layout.length === 0) return undefined;
  const by = step(layout, key, height);
  if (by === undefined) return undefined;
  return at === undefined ? 0 : layout.step(at, by);
}

function step({ cell, columns }: MapLayout, key: string, height: number): number | undefined {
  const page = Math.max(1, Math.floor(height / cell) - 1) * columns;
  switch (key) {
    case 'ArrowLeft':
      return -1;
    case 'ArrowRight':
      return 1;
    case 'ArrowUp':
      return -columns;
    case 'ArrowDown':
      return columns;
    case 'PageUp':
      return -page;
    case 'PageDown':
      return page;
    case 'Home':
      return Number.NEGATIVE_INFINITY;
    case 'End':
      return Number.POSITIVE_INFINITY;
    default:
      return undefined;
  }
}
