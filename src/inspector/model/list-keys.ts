/**
 * The row to which a key leads, from the row `at` (-1: from none) of `count`; `page` is how many rows a page has, undefined where pages are not turned by key.
 * Undefined for any other key, and in a list without rows.
 */
export function rowByKey(key: string, at: number, count: number, page?: number): number | undefined {
  if (count === 0) return undefined;
  const to = target(key, at, count, page);
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}

function target(key: string, at: number, count: number, page: number | undefined): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return at + 1;
    case 'ArrowUp':
      return at - 1;
    case 'PageDown':
      return page && at + page;
    case 'PageUp':
      return page && at - page;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
