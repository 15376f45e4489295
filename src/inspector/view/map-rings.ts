import type { MapLayout } from '../model/map-layout.ts';
import type { MapTheme } from './map-colours.ts';

/** Slots that are marked on a map; undefined: none is. */
export interface MapMarks {
  /** Kept in the details. */
  readonly picked: number | undefined;
  /** Of the keyboard. */
  readonly cursor: number | undefined;
  readonly hovered: number | undefined;
}

export interface RingsOptions {
  readonly layout: MapLayout;
  readonly theme: MapTheme;
  /** Where the map's cells begin on the canvas, and how far it is scrolled; device pixels. */
  readonly left: number;
  readonly top: number;
  /** Device pixels of a CSS pixel. */
  readonly ratio: number;
}

/** Draws a ring about the cell of each slot that is marked, which is seen about the smallest cell too. */
export function drawRings(
  context: CanvasRenderingContext2D,
  { layout, theme, left, top, ratio }: RingsOptions,
  { picked, cursor, hovered }: MapMarks,
): void {
  const ring = (slot: number | undefined, colour: string, grow: number): void => {
    if (slot === undefined || slot >= layout.map.length) return;
    const { x, y } = layout.positionOf(layout.cellOf(slot));
    const around = Math.max(grow, (7 * ratio - layout.cell) / 2);
    context.strokeStyle = colour;
    context.lineWidth = 2 * ratio;
    const side = layout.cell - (layout.cell >= 4 ? 1 : 0) + 2 * around;
    context.strokeRect(left + x - around, y - top - around, side, side);
  };
  ring(picked, theme.accent, ratio);
  if (cursor !== picked) ring(cursor, theme.soft, ratio);
  ring(hovered, theme.ink, 0);
}
