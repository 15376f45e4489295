import { formatMs, formatNumberOf, formatRate } from '../../format/quantity.ts';
import type { InspectorSwitches } from '../../protocol/inspection.ts';

/** What is switched on, in words. */
export function simulated(switches: InspectorSwitches): string[] {
  const { isPaused, isOffline, bytesPerSecond, delayMs, failNext } = switches;
  return [
    ...(isPaused ? ['paused'] : []),
    ...(isOffline ? ['offline'] : []),
    ...(bytesPerSecond > 0 ? [`at most ${formatRate(bytesPerSecond)}`] : []),
    ...(delayMs > 0 ? [`answers ${formatMs(delayMs)} later`] : []),
    ...(failNext > 0 ? [`the next ${formatNumberOf(failNext, 'request')} will fail`] : []),
  ];
}

/** Links that people know, as DevTools' own network conditions have them. */
export const links: readonly {
  readonly name: string;
  readonly bytesPerSecond: number;
  readonly delayMs: number;
}[] = [
  { name: 'As it is', bytesPerSecond: 0, delayMs: 0 },
  { name: 'Fast 4G', bytesPerSecond: 1_012_500, delayMs: 60 },
  { name: 'Slow 4G', bytesPerSecond: 180_000, delayMs: 150 },
  { name: '3G', bytesPerSecond: 50_000, delayMs: 400 },
];
