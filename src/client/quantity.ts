const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes for the eyes of people, in decimal units as download managers write them: `34.2 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 and more would be printed as 1000.
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${units[unit]}`;
}

/** Bytes per second: `2.5 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** Whole percent, rounded down: 100 is said only when everything is there. */
export function percent(present: number, total: number): number {
  return total === 0 ? 100 : Math.floor((present / total) * 100);
}
