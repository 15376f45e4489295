import { pinnedFlag } from '../../protocol/block-states.ts';
import type { MapLayout } from '../model/map-layout.ts';
import type { MapTheme } from './map-colours.ts';

export interface LabelsOptions {
  readonly layout: MapLayout;
  readonly theme: MapTheme;
  /** All lengths are device pixels. */
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
  readonly states: Uint8Array | undefined;
  readonly labels: FittingLabels;
}

/** From one label to the next, CSS pixels. */
const lineHeight = 14;
const margin = 8;
const pinWidth = 8;

/** CSS pixels of the place for labels, in a map so wide. */
export function gutterWidth(width: number): number {
  return width < 520 ? 84 : width < 900 ? 132 : 190;
}

/** What fits of a label, by label: measuring takes longer than all the rest. For one font and width. */
export class FittingLabels {
  #key = '';
  #fitting = new Map<string, string>();

  of(context: CanvasRenderingContext2D, label: string, room: number, keeps: 'begin' | 'end'): string {
    const key = `${context.font} ${room} ${keeps}`;
    if (this.#key !== key || this.#fitting.size > 5000) {
      this.#key = key;
      this.#fitting.clear();
    }
    let fitting = this.#fitting.get(label);
    if (fitting === undefined) {
      fitting = shortened(context, label, room, keeps);
      this.#fitting.set(label, fitting);
    }
    return fitting;
  }
}

/** Writes the bands' names beside them: those that have room, each as much of it as fits. Pinned ones have a mark. */
export function drawLabels(context: CanvasRenderingContext2D, options: LabelsOptions): void {
  const { layout, theme, top, width, height, ratio, states } = options;
  context.fillStyle = theme.page;
  context.fillRect(0, 0, width, height);
  context.font = `${11 * ratio}px system-ui, sans-serif`;
  context.textBaseline = 'top';
  const keeps = layout.map.order ? 'end' : 'begin';
  const room = width - (2 * margin + pinWidth) * ratio;
  let free = -lineHeight * ratio;
  for (let band = firstBand(layout, top - lineHeight * ratio); band < layout.map.bands.length; band++) {
    const { label, start } = layout.map.bands[band]!;
    const y = layout.positionOf(layout.firstCell(band)).y - top;
    if (y > height) return;
    if (y < free) continue;
    const isPinned = states !== undefined && (states[layout.map.blockAt(start)]! & pinnedFlag) !== 0;
    context.fillStyle = isPinned ? theme.ink : theme.soft;
    context.fillText(options.labels.of(context, label, room, keeps), margin * ratio, y + ratio);
    if (isPinned) pin(context, width - pinWidth * ratio, y + 2 * ratio, ratio);
    free = y + lineHeight * ratio;
  }
}

function firstBand(layout: MapLayout, y: number): number {
  let low = 0;
  let high = layout.map.bands.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (layout.positionOf(layout.firstCell(middle)).y < y) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The end of a path says more than its begin; the number of a blob comes first. */
function shortened(
  context: CanvasRenderingContext2D,
  label: string,
  room: number,
  keeps: 'begin' | 'end',
): string {
  const short = (left: number): string =>
    left === label.length
      ? label
      : keeps === 'end'
        ? `…${label.slice(label.length - left)}`
        : `${label.slice(0, left)}…`;
  let low = 0;
  let high = label.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(short(middle)).width <= room) low = middle;
    else high = middle - 1;
  }
  return short(low);
}

function pin(context: CanvasRenderingContext2D, x: number, y: number, ratio: number): void {
  context.beginPath();
  context.arc(x, y + 3 * ratio, 3 * ratio, 0, 2 * Math.PI);
  context.rect(x - ratio / 2, y + 5 * ratio, ratio, 5 * ratio);
  context.fill();
}
