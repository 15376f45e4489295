import { blockState, pinnedFlag } from '../../protocol/block-states.ts';
import type { MapLayout } from './map-layout.ts';

/** A colour as ImageData has it on a little-endian machine: 0xAABBGGRR. */
export type Rgba = number;

/** The colours of a map. States are those of block-states.ts without flags. */
export interface MapColours {
  readonly background: Rgba;
  readonly states: readonly Rgba[];
  /** The marks on cells: of pinned ones, and the patterns of states that must be told apart without colours. */
  readonly mark: Rgba;
}

/** Which blocks are meant; all others are dimmed. */
export type Highlight = { readonly state: number } | { readonly blocks: ReadonlySet<number> };

/** Marks are drawn on cells of at least so many device pixels. */
const markedPixels = 6;
/** There is a line between cells of at least so many. */
const spacedPixels = 4;
/** How much of a dimmed colour is left. */
const dimmed = 0.22;
const stateMask = pinnedFlag - 1;
/** Added to a state's byte: dimmed. */
const dimFlag = 16;
/** An empty cell. */
const nothing = 32;

/** 0xAABBGGRR of channels 0 to 255. */
export function rgba(red: number, green: number, blue: number): Rgba {
  return (0xff000000 | (blue << 16) | (green << 8) | red) >>> 0;
}

/** `share` of `a`, the rest of `b`. */
export function mixed(a: Rgba, b: Rgba, share: number): Rgba {
  const channel = (shift: number): number => {
    const [x, y] = [(a >>> shift) & 255, (b >>> shift) & 255];
    return Math.round(x * share + y * (1 - share));
  };
  return rgba(channel(0), channel(8), channel(16));
}

/**
 * What each cell looks like, worked out once for all cells whenever a state has changed, so that scrolling only copies: a byte that names a picture where a cell is a block, and
 * a colour where it stands for many.
 */
export class CellPaint {
  readonly #layout: MapLayout;
  readonly #colours: MapColours;
  /** The flat colour of each byte. */
  readonly #flat: Uint32Array;
  readonly #bytes: Uint8Array;
  /** Of cells that stand for many blocks, or are one pixel. */
  readonly #pixels: Uint32Array;
  /** A picture a byte, one behind the other. */
  readonly #pictures: Uint32Array;

  constructor(layout: MapLayout, colours: MapColours) {
    const { background, states } = colours;
    this.#layout = layout;
    this.#colours = colours;
    this.#flat = new Uint32Array(nothing + 1).fill(background);
    for (let byte = 0; byte < nothing; byte++) {
      const colour = states[byte & stateMask] ?? background;
      this.#flat[byte] = byte & dimFlag ? mixed(colour, background, dimmed) : colour;
    }
    const isPixels = layout.cell === 1;
    this.#bytes = new Uint8Array(isPixels ? 0 : layout.length).fill(nothing);
    this.#pixels = new Uint32Array(isPixels ? layout.length : 0).fill(background);
    this.#pictures = isPixels ? new Uint32Array(0) : this.#drawPictures();
  }

  /** Takes the states of all blocks. */
  update(states: Uint8Array, highlight: Highlight | undefined): void {
    const { map, cell, level } = this.#layout;
    const bytes = highlight ? dim(states, highlight) : states;
    for (let band = 0; band < map.bands.length; band++) {
      const { start, end } = map.bands[band]!;
      const first = this.#layout.firstCell(band);
      if (level.blocks > 1) this.#summarize(bytes, map.order, start, end, first);
      else if (cell > 1) copy(bytes, map.order, start, end, this.#bytes, first);
      else paint(bytes, map.order, start, end, this.#flat, this.#pixels, first);
    }
  }

  /** Draws the part of the map that begins at `top` into all of `out`, rows of `stride` pixels. */
  draw(out: Uint32Array, stride: number, top: number): void {
    const { columns, cell } = this.#layout;
    const height = Math.floor(out.length / stride);
    out.fill(this.#colours.background);
    for (const group of this.#layout.groups(top, top + height)) {
      const rows = Math.ceil((group.endCell - group.firstCell) / columns);
      const first = Math.max(0, Math.floor((top - group.top) / cell));
      for (let row = first; row < rows; row++) {
        const y = group.top + row * cell - top;
        if (y >= height) break;
        const from = group.firstCell + row * columns;
        this.#drawRow(out, stride, height, y, from, Math.min(group.endCell, from + columns));
      }
    }
  }

  #drawRow(out: Uint32Array, stride: number, height: number, y: number, from: number, end: number): void {
    const { cell } = this.#layout;
    if (cell === 1) {
      out.set(this.#pixels.subarray(from, end), y * stride);
      return;
    }
    const bytes = this.#bytes;
    const pictures = this.#pictures;
    const area = cell * cell;
    for (let line = Math.max(0, -y); line < cell && y + line < height; line++) {
      let at = (y + line) * stride;
      for (let i = from; i < end; i++) {
        let pixel = bytes[i]! * area + line * cell;
        for (let x = 0; x < cell; x++) out[at++] = pictures[pixel++]!;
      }
    }
  }

  /** Each cell gets the mean colour of its blocks; but what is damaged, or waited for, must not drown among a hundred others. */
  #summarize(
    bytes: Uint8Array,
    order: Uint32Array | undefined,
    start: number,
    end: number,
    first: number,
  ): void {
    const flat = this.#flat;
    const { blocks } = this.#layout.level;
    for (let from = start, cell = first; from < end; from += blocks, cell++) {
      const to = Math.min(end, from + blocks);
      // Two channels in one number: sums of at most 256 blocks stay within 16 bits.
      let redBlue = 0;
      let green = 0;
      let urgent = 0;
      for (let slot = from; slot < to; slot++) {
        const byte = bytes[order ? order[slot]! : slot]!;
        const colour = flat[byte]!;
        redBlue += colour & 0xff00ff;
        green += (colour >>> 8) & 255;
        urgent = Math.max(urgent, urgency[byte]!);
      }
      const count = to - from;
      const mean = rgba(
        Math.round((redBlue & 0xffff) / count),
        Math.round(green / count),
        Math.round((redBlue >>> 16) / count),
      );
      this.#pixels[cell] = urgent > 0 ? flat[urgentStates[urgent]!]! : mean;
    }
  }

  #drawPictures(): Uint32Array {
    const { cell } = this.#layout;
    const { background } = this.#colours;
    const pictures = new Uint32Array((nothing + 1) * cell * cell).fill(background);
    const side = cell >= spacedPixels ? cell - 1 : cell;
    for (let byte = 0; byte < nothing; byte++) {
      const colour = this.#flat[byte]!;
      const mark = byte & dimFlag ? mixed(this.#colours.mark, colour, dimmed) : this.#colours.mark;
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const isMark = cell >= markedPixels && marks(byte, x, y, side);
          pictures[(byte * cell + y) * cell + x] = isMark ? mark : colour;
        }
      }
    }
    return pictures;
  }
}

/** By rank; see {@link urgency}. */
const urgentStates = [blockState.missing, blockState.pending, blockState.damaged] as const;

/** The rank of each byte among those that a cell of many blocks shows before all others; 0: it does not. Dimmed ones never are. */
const urgency = Uint8Array.from({ length: nothing }, (_, byte) =>
  byte & dimFlag ? 0 : Math.max(0, urgentStates.lastIndexOf((byte & stateMask) as 0)),
);

/** The loops over all blocks are functions of their own, without a call inside: a million blocks take some milliseconds so, and ten times that otherwise. */
function copy(
  bytes: Uint8Array,
  order: Uint32Array | undefined,
  start: number,
  end: number,
  out: Uint8Array,
  first: number,
): void {
  if (!order) out.set(bytes.subarray(start, end), first);
  else for (let slot = start, cell = first; slot < end; slot++, cell++) out[cell] = bytes[order[slot]!]!;
}

function paint(
  bytes: Uint8Array,
  order: Uint32Array | undefined,
  start: number,
  end: number,
  flat: Uint32Array,
  out: Uint32Array,
  first: number,
): void {
  for (let slot = start, cell = first; slot < end; slot++, cell++)
    out[cell] = flat[bytes[order ? order[slot]! : slot]!]!;
}

/** The states, with the flag on all blocks that are not meant. */
function dim(states: Uint8Array, highlight: Highlight): Uint8Array {
  const bytes = new Uint8Array(states.length);
  if ('state' in highlight) {
    const { state } = highlight;
    for (let block = 0; block < states.length; block++) {
      const byte = states[block]!;
      bytes[block] = (byte & stateMask) === state ? byte : byte | dimFlag;
    }
    return bytes;
  }
  for (let block = 0; block < states.length; block++) bytes[block] = states[block]! | dimFlag;
  for (const block of highlight.blocks) bytes[block] = states[block]!;
  return bytes;
}

/** Whether a pixel of a cell's picture belongs to its mark: a cross on damaged ones, a dot on those waited for, a line under those in flight, a corner on pinned ones. */
function marks(byte: number, x: number, y: number, side: number): boolean {
  if (byte & pinnedFlag && x + y < side / 3) return true;
  const middle = (side - 1) / 2;
  switch (byte & stateMask) {
    case blockState.damaged:
      return Math.abs(x - y) < side / 9 + 0.5 || Math.abs(x + y - (side - 1)) < side / 9 + 0.5;
    case blockState.pending:
      return Math.hypot(x - middle, y - middle) < side / 4.5;
    case blockState.inFlight:
      return y >= side - Math.max(1, Math.round(side / 6));
    default:
      return false;
  }
}
