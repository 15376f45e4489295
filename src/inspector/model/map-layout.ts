import type { CellMap } from './cell-map.ts';
import { bandedSize, cellPixels, type ZoomLevel } from './zoom.ts';

export interface LayoutOptions {
  readonly level: ZoomLevel;
  /** Of the place for cells, in device pixels. */
  readonly width: number;
  readonly pixelRatio: number;
}

/** Rows of cells that follow each other without a gap. Cells are numbered through the whole map. */
export interface RowGroup {
  /** Half-open. */
  readonly firstCell: number;
  readonly endCell: number;
  /** Of the first row, in device pixels from the top of the map. */
  readonly top: number;
}

/** Between bands that have rows of their own, and the least that such a band is high, so that its label has room: CSS pixels. */
const bandGap = 6;
const bandHeight = 15;

/**
 * Where the cells of a map are, at one zoom and width. Near by, each band has rows of its own; from afar bands follow each other in the same row with an
 * empty cell between them. All lengths are device pixels.
 */
export class MapLayout {
  readonly map: CellMap;
  readonly level: ZoomLevel;
  /** Side of a cell. */
  readonly cell: number;
  readonly columns: number;
  /** Of all of the map. */
  readonly height: number;
  /** How many cells there are, empty ones included. */
  readonly length: number;
  /** The first cell of each band, and behind the last one, where all end. */
  readonly #firstCells: Uint32Array;
  readonly #isBanded: boolean;
  /** Top of each band that has rows of its own. */
  readonly #tops: Float64Array;

  constructor(map: CellMap, { level, width, pixelRatio }: LayoutOptions) {
    this.map = map;
    this.level = level;
    this.cell = cellPixels(level, pixelRatio);
    this.columns = Math.max(1, Math.floor(width / this.cell));
    this.#isBanded = level.size >= bandedSize;
    const count = map.bands.length;
    this.#firstCells = new Uint32Array(count + 1);
    this.#tops = new Float64Array(this.#isBanded ? count + 1 : 0);
    const between = this.#isBanded ? 0 : 1;
    let cell = 0;
    let top = 0;
    map.bands.forEach(({ start, end }, i) => {
      this.#firstCells[i] = cell;
      const cells = Math.ceil((end - start) / level.blocks);
      cell += cells + between;
      if (!this.#isBanded) return;
      this.#tops[i] = top;
      const rows = Math.ceil(cells / this.columns);
      top +=
        Math.max(rows * this.cell, Math.round(bandHeight * pixelRatio)) + Math.round(bandGap * pixelRatio);
    });
    this.#firstCells[count] = cell;
    if (this.#isBanded) this.#tops[count] = top;
    this.length = cell;
    this.height = this.#isBanded ? top : Math.ceil(cell / this.columns) * this.cell;
  }

  /** Whether each band has rows of its own. */
  get isBanded(): boolean {
    return this.#isBanded;
  }

  /** Of a band, by its number; of the number of bands: where all end. */
  firstCell(band: number): number {
    return this.#firstCells[band]!;
  }

  /** The band whose cells, or the empty one behind them, include this one. */
  bandOfCell(cell: number): number {
    return lastAtMost(this.#firstCells, this.map.bands.length, cell);
  }

  /** The slots that a cell shows, half-open; undefined for an empty one. */
  slotsOf(cell: number): { readonly start: number; readonly end: number } | undefined {
    if (!(cell >= 0 && cell < this.length)) return undefined;
    const band = this.bandOfCell(cell);
    const { start, end } = this.map.bands[band]!;
    const first = start + (cell - this.#firstCells[band]!) * this.level.blocks;
    return first < end ? { start: first, end: Math.min(end, first + this.level.blocks) } : undefined;
  }

  /** The cell that shows a slot. */
  cellOf(slot: number): number {
    const band = this.map.bandAt(slot);
    return this.#firstCells[band]! + Math.floor((slot - this.map.bands[band]!.start) / this.level.blocks);
  }

  /** Top left corner of a cell. */
  positionOf(cell: number): { readonly x: number; readonly y: number } {
    const band = this.#isBanded ? this.bandOfCell(cell) : 0;
    const at = this.#isBanded ? cell - this.#firstCells[band]! : cell;
    const top = this.#isBanded ? this.#tops[band]! : 0;
    return { x: (at % this.columns) * this.cell, y: top + Math.floor(at / this.columns) * this.cell };
  }

  /** The cell at a point; undefined between and behind the cells, and for an empty one. */
  cellAt(x: number, y: number): number | undefined {
    if (!(x >= 0 && y >= 0 && y < this.height)) return undefined;
    const column = Math.floor(x / this.cell);
    if (column >= this.columns) return undefined;
    const band = this.#isBanded ? lastAtMost(this.#tops, this.map.bands.length, y) : 0;
    const top = this.#isBanded ? this.#tops[band]! : 0;
    const first = this.#isBanded ? this.#firstCells[band]! : 0;
    const end = this.#isBanded ? this.#firstCells[band + 1]! : this.length;
    const cell = first + Math.floor((y - top) / this.cell) * this.columns + column;
    return cell < end && this.slotsOf(cell) ? cell : undefined;
  }

  /** The cell so many cells on (Infinity: to the end), past empty ones, and where the next row belongs to another band, under the same column as far as it goes. */
  step(cell: number, by: number): number {
    const last = this.length - 1;
    if (!this.#isBanded || Math.abs(by) < this.columns || !Number.isFinite(by)) {
      const to = Math.max(0, Math.min(last, cell + by));
      if (this.slotsOf(to)) return to;
      return to === last || by < 0 ? to - 1 : to + 1;
    }
    let { y } = this.positionOf(cell);
    const { x } = this.positionOf(cell);
    let to = cell;
    const down = Math.sign(by) * this.cell;
    for (let rows = Math.round(Math.abs(by) / this.columns); rows > 0; rows--) {
      const band = this.bandOfCell(to);
      const [first, end] = [this.#firstCells[band]!, this.#firstCells[band + 1]!];
      const row = Math.floor((to - first) / this.columns);
      const rowsOfBand = Math.ceil((end - first) / this.columns);
      if (down > 0 && row + 1 >= rowsOfBand) {
        if (band + 1 >= this.map.bands.length) break;
        y = this.#tops[band + 1]!;
      } else if (down < 0 && row === 0) {
        if (band === 0) break;
        const before = this.#firstCells[band - 1]!;
        y = this.#tops[band - 1]! + (Math.ceil((first - before) / this.columns) - 1) * this.cell;
      } else y += down;
      to = this.#nearest(x, y);
    }
    return to;
  }

  /** The cell at x in the row at y, or the last one before it. */
  #nearest(x: number, y: number): number {
    const band = lastAtMost(this.#tops, this.map.bands.length, y);
    const row = Math.round((y - this.#tops[band]!) / this.cell);
    const cell = this.#firstCells[band]! + row * this.columns + Math.floor(x / this.cell);
    return Math.min(cell, this.#firstCells[band + 1]! - 1);
  }

  /** The rows that reach into `[top, bottom)`. */
  *groups(top: number, bottom: number): Generator<RowGroup, void, undefined> {
    if (!this.#isBanded) {
      if (this.length > 0) yield { firstCell: 0, endCell: this.length, top: 0 };
      return;
    }
    const count = this.map.bands.length;
    if (count === 0) return;
    for (let band = lastAtMost(this.#tops, count, top); band < count && this.#tops[band]! < bottom; band++) {
      yield {
        firstCell: this.#firstCells[band]!,
        endCell: this.#firstCells[band + 1]!,
        top: this.#tops[band]!,
      };
    }
  }
}

/** The last of `list[0, count)`, ascending, that is not above `value`; 0 where all are. */
function lastAtMost(list: Uint32Array | Float64Array, count: number, value: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle]! <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
