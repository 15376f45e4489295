export type CellValue = string | number | boolean | undefined;

export interface TableOrder {
  /** Of the column. */
  readonly key: string;
  readonly isDescending: boolean;
}

/** Natural in numbers within names: `level2` before `level10`. */
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** A sorted copy, stable. What has no value comes last in both directions, as in DevTools' own tables. */
export function sortedBy<T>(
  rows: readonly T[],
  value: (row: T) => CellValue,
  isDescending: boolean,
): readonly T[] {
  const sign = isDescending ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    return sign * compare(x, y);
  });
}

/** The order after a click on the head of a column: the other direction, or this column from its begin. */
export function toggled(order: TableOrder | undefined, key: string): TableOrder {
  return { key, isDescending: order?.key === key && !order.isDescending };
}

function compare(x: NonNullable<CellValue>, y: NonNullable<CellValue>): number {
  if (typeof x === 'string' && typeof y === 'string') return collator.compare(x, y);
  return Number(x) - Number(y);
}
