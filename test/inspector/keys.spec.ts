import { expect, test } from '@playwright/test';
import { BlockSpace } from '../../src/inspector/model/block-space.ts';
import { CellMap } from '../../src/inspector/model/cell-map.ts';
import { rowByKey } from '../../src/inspector/model/list-keys.ts';
import { cellByKey } from '../../src/inspector/model/map-keys.ts';
import { MapLayout } from '../../src/inspector/model/map-layout.ts';
import { zoomLevels } from '../../src/inspector/model/zoom.ts';

test('in a list keys lead from row to row and page to page, and not beyond its ends', () => {
  const by = (at: number, count: number, page?: number) => (key: string) => rowByKey(key, at, count, page);
  const keys = ['ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End'];
  expect(keys.map(by(5, 100, 10))).toEqual([6, 4, 15, 0, 0, 99]);
  expect(keys.map(by(99, 100, 10))).toEqual([99, 98, 99, 89, 0, 99]);
  // From no row: the first, but for the last and the page that are asked for.
  expect(keys.map(by(-1, 100, 10))).toEqual([0, 0, 9, 0, 0, 99]);
  expect(keys.map(by(5, 100))).toEqual([6, 4, undefined, undefined, 0, 99]);
  expect(keys.map(by(-1, 0, 10))).toEqual(keys.map(() => undefined));
  expect(['Enter', 'a', 'constructor'].map(by(5, 100, 10))).toEqual([undefined, undefined, undefined]);
});

test('in the map keys lead along rows, columns and pages of cells', () => {
  const blob = { sha256: '0'.repeat(64), tableSha256: '', length: 1, tableLength: 0, blockCount: 100 };
  const level = zoomLevels.find(({ blocks, size }) => blocks === 1 && size === 10)!;
  const layout = new MapLayout(CellMap.byBlob(new BlockSpace([blob])), { level, width: 100, pixelRatio: 1 });
  const { columns, cell } = layout;
  expect(columns).toBeGreaterThan(3);
  const keys = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'PageUp', 'PageDown', 'Home', 'End'];
  const at = 5 * columns + 1;
  const by = (from: number | undefined) => (key: string) => cellByKey(layout, key, from, 4 * cell);
  expect(keys.map(by(at))).toEqual([
    ...[at - 1, at + 1, at - columns, at + columns],
    ...[at - 3 * columns, at + 3 * columns, 0, layout.length - 1],
  ]);
  expect(keys.map(by(undefined))).toEqual(keys.map(() => 0));
  expect(cellByKey(layout, 'Enter', at, 4 * cell)).toBeUndefined();
  const empty = new MapLayout(CellMap.byBlob(new BlockSpace([])), { level, width: 100, pixelRatio: 1 });
  expect(cellByKey(empty, 'End', undefined, 4 * cell)).toBeUndefined();
});
