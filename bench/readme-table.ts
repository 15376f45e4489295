import { appNames, apps } from './apps.ts';
import type { LinkName } from './options.ts';
import type { Measurement, Publication } from './publication.ts';
import type { SideName } from './side.ts';
import type { VisitKind } from './visit.ts';

const heads = [
  'app, ready when',
  'gzip',
  'brotli',
  'Workbox',
  'Sluice',
  'with a trace',
  'again: Workbox',
  'again: Sluice',
];

/** The README's table: seconds until ready on one link, cold by all sides, warm by those that keep the whole app. Markdown. */
export function readmeTable({ measurements }: Publication, link: LinkName): string {
  const ofLink = measurements.filter((measurement) => measurement.link === link);
  const rows = appNames.flatMap((app) => {
    const ofApp = ofLink.filter((measurement) => measurement.app === app);
    if (ofApp.length === 0) return [];
    const cold: readonly SideName[] = ['gzip', 'brotli', 'workbox', 'sluice', 'sluice+trace'];
    const warm: readonly SideName[] = ['workbox', 'sluice+trace'];
    const cells = [
      ...cold.map((side) => seconds(ofApp, 'cold', side, 'gzip')),
      ...warm.map((side) => seconds(ofApp, 'warm', side, 'workbox')),
    ];
    return [[apps[app].title, ...cells]];
  });
  const rule = heads.map((_, i) => (i === 0 ? '---' : '--:'));
  return [heads, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** `2.1 s (0.61)`: the median, and its ratio to the base's. */
function seconds(of: readonly Measurement[], visit: VisitKind, side: SideName, base: SideName): string {
  const [own, other] = [side, base].map(
    (name) =>
      of.find((measurement) => measurement.visit === visit && measurement.side === name)?.readyMs.median,
  );
  if (own === undefined) return '–';
  const words = `${(own / 1000).toFixed(1)} s`;
  return other === undefined || side === base ? words : `${words} (${(own / other).toFixed(2)})`;
}
