/** Figures for the eyes of people, wherever they are shown, as DevTools writes them: decimal units, and no more digits than are read. */

const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** `34.2 MB`; `0 B`. */
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

/** `30,000`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}

/** `1 block`, `2 blocks`, `3 entries`. */
export function formatNumberOf(count: number, what: string): string {
  const plural = what.endsWith('y') ? `${what.slice(0, -1)}ies` : `${what}s`;
  return `${formatCount(count)} ${count === 1 ? what : plural}`;
}

/** Whole percent, rounded down: 100 is said only when everything is there. */
export function percent(part: number, whole: number): number {
  // The product first: it is exact, and what is 29 % does not become 28.
  return whole === 0 ? 100 : Math.floor((part * 100) / whole);
}

/** `20 %`, with `digits` behind the point `20.3 %`; rounded down: 100 % is said only of all, and 0 % only of nothing. */
export function formatShare(part: number, whole: number, digits = 0): string {
  if (whole === 0) return formatShare(1, 1, digits); // All of nothing.
  const scale = 10 ** digits;
  if (part > 0 && part * 100 * scale < whole) return `< ${1 / scale} %`;
  return `${(percent(part * scale, whole) / scale).toFixed(digits)} %`;
}

/** A time between two moments, in milliseconds: `0.4 ms`, `12 ms`, `3.21 s`, `4 min 5 s`, `3 h 20 min`. */
export function formatMs(ms: number): string {
  if (ms === 0) return '0 ms';
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9995) return `${(ms / 1000).toFixed(2)} s`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long ago something was, roughly: `just now`, `20 s ago`, `3 days ago`. */
export function formatAgo(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  if (hours < 48) return `${hours} h ago`;
  return `${Math.round(hours / 24)} days ago`;
}

/** Of a moment since 1970: the time of day, `14:03:09.123`. */
export function formatClock(at: number): string {
  const date = new Date(at);
  const pad = (n: number, digits = 2): string => String(n).padStart(digits, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}
