import { expect, test } from '@playwright/test';
import { BlockSpace } from '../../src/inspector/model/block-space.ts';
import { CellMap } from '../../src/inspector/model/cell-map.ts';
import {
  CellPaint,
  type Highlight,
  type MapColours,
  mixed,
  rgba,
} from '../../src/inspector/model/cell-paint.ts';
import { MapLayout } from '../../src/inspector/model/map-layout.ts';
import { zoomLevels } from '../../src/inspector/model/zoom.ts';
import { blockState, pinnedFlag } from '../../src/protocol/block-states.ts';
import { randomSharing } from '../image/random-sharing.ts';
import { seededRandom } from '../support/random.ts';

const white = rgba(255, 255, 255);
const colours: MapColours = {
  background: white,
  states: Array.from({ length: 7 }, (_, i) => rgba(i * 30, 255 - i * 30, i * 7)),
  mark: rgba(0, 0, 0),
};

/** Blobs of so many blocks. */
function spaceOf(...counts: number[]): BlockSpace {
  return new BlockSpace(
    counts.map((blockCount, i) => ({
      sha256: String(i).repeat(64).slice(0, 64),
      tableSha256: '',
      length: blockCount * 100,
      tableLength: 0,
      blockCount,
    })),
  );
}

const level = (blocks: number, size: number) =>
  zoomLevels.find((one) => one.blocks === blocks && one.size === size)!;

test('blocks of a space are numbered blob after blob, past empty blobs', () => {
  const space = spaceOf(3, 0, 2, 0);
  expect(space.length).toBe(5);
  const places = [0, 2, 3, 4].map((i) => space.placeOf(i));
  expect(places.map((place) => space.indexOf(place!))).toEqual([0, 2, 3, 4]);
  expect(places.at(-1)).toEqual({ blob: 2, block: 1 });
  expect([space.placeOf(-1), space.placeOf(5), space.placeOf(Number.NaN)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(CellMap.byBlob(space).bands.map(({ id, start, end }) => [id, start, end])).toEqual([
    [0, 0, 3],
    [2, 3, 5],
  ]);
});

test('by file, a band has the blocks of its file in the order of the file, shared ones too', async () => {
  for (let seed = 0; seed < 8; seed++) {
    const { image } = await randomSharing(seed);
    const space = new BlockSpace(image.blobs());
    const map = CellMap.byFile(image, space);
    const files = [...image.files()].map(({ inode, path }) => ({
      path,
      blocks: [...image.mapRange(inode, 0, Number.POSITIVE_INFINITY)].map((span) => space.indexOf(span)),
    }));
    const bands = map.bands.map(({ label, start, end }) => ({
      path: label,
      blocks: Array.from({ length: end - start }, (_, i) => map.blockAt(start + i)),
    }));
    // mapRange tells a block again for each extent that touches it, and so does the map.
    expect(bands, `seed ${seed}`).toEqual(files.filter(({ blocks }) => blocks.length > 0));
    map.bands.forEach(({ start, end }, i) => {
      expect([map.bandAt(start), map.bandAt(end - 1)]).toEqual([i, i]);
    });
    const used = map.length > 0 ? map.blockAt(map.length - 1) : undefined;
    if (used !== undefined) expect(map.blockAt(map.slotOf(used)!)).toBe(used);
  }
});

test('every slot is where the layout says, at every zoom, and nothing is anywhere else', () => {
  const map = CellMap.byBlob(spaceOf(37, 1, 200, 64));
  for (const zoom of zoomLevels) {
    for (const [width, pixelRatio] of [
      [100, 1],
      [333, 1.5],
    ] as const) {
      const layout = new MapLayout(map, { level: zoom, width, pixelRatio });
      const seen = new Set<string>();
      const isRight = (slot: number): boolean => {
        const cell = layout.cellOf(slot);
        const slots = layout.slotsOf(cell)!;
        const { x, y } = layout.positionOf(cell);
        const far = layout.cell - 1;
        seen.add(`${x} ${y}`);
        return (
          slot >= slots.start &&
          slot < slots.end &&
          slots.end - slots.start <= zoom.blocks &&
          layout.cellAt(x, y) === cell &&
          layout.cellAt(x + far, y + far) === cell &&
          x + far < width &&
          y + far < layout.height
        );
      };
      const wrong = Array.from({ length: map.length }, (_, slot) => slot).filter((slot) => !isRight(slot));
      expect(wrong, `${zoom.blocks}:${zoom.size}`).toEqual([]);
      const cells = map.bands.reduce(
        (sum, { start, end }) => sum + Math.ceil((end - start) / zoom.blocks),
        0,
      );
      expect(seen.size).toBe(cells);
      const outside = [
        layout.cellAt(-1, 0),
        layout.cellAt(0, -1),
        layout.cellAt(width, 0),
        layout.cellAt(0, layout.height),
      ];
      expect(outside).toEqual([undefined, undefined, undefined, undefined]);
    }
  }
});

test('arrow keys get everywhere: along rows, from band to band, to both ends', () => {
  const map = CellMap.byBlob(spaceOf(37, 1, 5, 64));
  for (const zoom of [level(1, 1), level(1, 12), level(2, 1)]) {
    const layout = new MapLayout(map, { level: zoom, width: 120, pixelRatio: 1 });
    const walk = (by: number, from: number): number[] => {
      const cells = [from];
      for (let cell = from; cells.length <= map.length; ) {
        const next = layout.step(cell, by);
        if (next === cell) return cells;
        if (!layout.slotsOf(next)) throw new Error(`${next} is an empty cell`);
        cells.push(next);
        cell = next;
      }
      throw new Error('it goes on for ever');
    };
    const first = 0;
    const last = layout.cellOf(map.length - 1);
    const all = map.bands.reduce((sum, { start, end }) => sum + Math.ceil((end - start) / zoom.blocks), 0);
    expect(walk(1, first)).toHaveLength(all);
    expect(walk(-1, last)).toHaveLength(all);
    expect(walk(-1, last).at(-1)).toBe(first);
    expect(layout.step(first, Number.POSITIVE_INFINITY)).toBe(last);
    expect(layout.step(last, Number.NEGATIVE_INFINITY)).toBe(first);
    if (!layout.isBanded) continue;
    const bands = new Set(walk(layout.columns, first).map((cell) => layout.bandOfCell(cell)));
    expect(bands.size).toBe(4);
    expect(new Set(walk(-layout.columns, last).map((cell) => layout.bandOfCell(cell))).size).toBe(4);
  }
});

/** Each pixel by itself, from its cell and its blocks. */
function slowPicture(
  layout: MapLayout,
  states: Uint8Array,
  highlight: Highlight | undefined,
  { width, height, top }: { width: number; height: number; top: number },
): (number | 'marked')[] {
  const flat = (block: number): number => {
    const state = states[block]! & (pinnedFlag - 1);
    const isMeant =
      !highlight || ('state' in highlight ? highlight.state === state : highlight.blocks.has(block));
    return isMeant ? colours.states[state]! : mixed(colours.states[state]!, white, 0.22);
  };
  const pixels: (number | 'marked')[] = [];
  for (let y = top; y < top + height; y++) {
    for (let x = 0; x < width; x++) {
      const cell = layout.cellAt(x, y);
      const slots = cell === undefined ? undefined : layout.slotsOf(cell)!;
      if (!slots) {
        pixels.push(white);
        continue;
      }
      const corner = layout.positionOf(cell!);
      const isLine =
        layout.cell >= 4 && (x - corner.x === layout.cell - 1 || y - corner.y === layout.cell - 1);
      const blocks = Array.from({ length: slots.end - slots.start }, (_, i) =>
        layout.map.blockAt(slots.start + i),
      );
      const urgent = [blockState.damaged, blockState.pending].flatMap((state) =>
        blocks.filter((block) => (states[block]! & 7) === state && flat(block) === colours.states[state]),
      )[0];
      if (isLine) pixels.push(white);
      else if (layout.cell >= 6) pixels.push('marked');
      else if (blocks.length > 1 && urgent === undefined) {
        const mean = (shift: number): number =>
          Math.round(blocks.reduce((sum, block) => sum + ((flat(block) >>> shift) & 255), 0) / blocks.length);
        pixels.push(rgba(mean(0), mean(8), mean(16)));
      } else pixels.push(flat(urgent ?? blocks[0]!));
    }
  }
  return pixels;
}

test('the picture is what its pixels are one by one, at every zoom and place', () => {
  const random = seededRandom(6);
  const space = spaceOf(37, 1, 120, 20);
  const states = Uint8Array.from(
    { length: space.length },
    () => Math.floor(random() * 7) + (random() < 0.2 ? 8 : 0),
  );
  const map = CellMap.byBlob(space);
  const highlights: (Highlight | undefined)[] = [
    undefined,
    { state: blockState.damaged },
    { blocks: new Set([3, 40, 41, 170]) },
  ];
  for (const zoom of zoomLevels) {
    const layout = new MapLayout(map, { level: zoom, width: 60, pixelRatio: 1 });
    for (const highlight of highlights) {
      const paint = new CellPaint(layout, colours);
      paint.update(new Uint8Array(states.length), undefined);
      paint.update(states, highlight);
      for (const top of [0, 5, Math.floor(layout.height / 2)]) {
        const view = { width: 64, height: 40, top };
        const out = new Uint32Array(view.width * view.height);
        paint.draw(out, view.width, top);
        const wanted = slowPicture(layout, states, highlight, view);
        // Where a cell has marks, it is enough that something is drawn there.
        const isRight = wanted.every((pixel, i) =>
          pixel === 'marked' ? out[i] !== white : out[i] === pixel,
        );
        expect(isRight, `${zoom.blocks}:${zoom.size} from ${top}`).toBe(true);
      }
    }
  }
});

test('large cells tell states and pins apart without their colours', () => {
  const space = spaceOf(14);
  const grey = { ...colours, states: Array.from({ length: 7 }, () => rgba(128, 128, 128)) };
  const layout = new MapLayout(CellMap.byBlob(space), { level: level(1, 16), width: 16 * 14, pixelRatio: 1 });
  const paint = new CellPaint(layout, grey);
  paint.update(
    Uint8Array.from({ length: 14 }, (_, i) => (i < 7 ? i : i - 7 + pinnedFlag)),
    undefined,
  );
  const out = new Uint32Array(layout.columns * 16 * 16);
  paint.draw(out, layout.columns * 16, 0);
  const picture = (cell: number): string => {
    const lines = Array.from({ length: 15 }, (_, y) => {
      const start = y * layout.columns * 16 + cell * 16;
      return [...out.subarray(start, start + 15)].join();
    });
    return lines.join();
  };
  const pictures = Array.from({ length: 14 }, (_, cell) => picture(cell));
  // Missing, in memory, present and sealed differ in brightness alone.
  expect(new Set(pictures.slice(0, 7)).size).toBe(4);
  for (let state = 0; state < 7; state++) expect(pictures[state]).not.toBe(pictures[state + 7]);
});
