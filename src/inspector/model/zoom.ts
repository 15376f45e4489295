/** How large a cell is, and how many blocks it stands for. */
export interface ZoomLevel {
  /** Consecutive blocks in one cell; 1 where a cell is larger than a pixel. */
  readonly blocks: number;
  /** Side of a cell, in CSS pixels; 1: a device pixel. */
  readonly size: number;
}

/** From afar to near. */
export const zoomLevels: readonly ZoomLevel[] = [
  ...[256, 128, 64, 32, 16, 8, 4, 2].map((blocks) => ({ blocks, size: 1 })),
  ...[1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32].map((size) => ({ blocks: 1, size })),
];

/** From here on each band begins in a row of its own. */
export const bandedSize = 6;

/** Side of a cell in device pixels: whole, so that cells are crisp and all alike. */
export function cellPixels({ size }: ZoomLevel, pixelRatio: number): number {
  return size === 1 ? 1 : Math.max(1, Math.round(size * pixelRatio));
}
