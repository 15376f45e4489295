import { appNames, apps } from './apps.ts';
import { LINKS } from './link.ts';
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
  'later: Workbox',
  'later: Sluice',
];

const begin = '<!-- npm run bench -- chart writes what follows -->';
const end = '<!-- until here -->';

/** The README with its table of launches as they were measured on this link. Throws an Error where it has no place for one. */
export function withReadmeTable(readme: string, published: Publication, link: LinkName): string {
  const [before, ...rest] = readme.split(begin);
  const [old, ...after] = rest.join(begin).split(end);
  if (old === undefined || after.length === 0) throw new Error(`README.md lacks ${begin} … ${end}`);
  return `${before}${begin}\n${readmeTable(published, link)}\n${end}${after.join(end)}`;
}

/** Seconds until ready on one link, cold by all sides, warm by those that keep the whole app; and what they were measured with. Markdown. */
export function readmeTable({ measurements, machine, date }: Publication, link: LinkName): string {
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
  const table = [heads, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
  const { mbitPerSecond, rttMs } = LINKS[link];
  const runs = [...new Set(ofLink.map((measurement) => measurement.runs))].sort((a, b) => a - b).join('–');
  const { browser, nginx, workbox, system, cores } = machine;
  return `\n![Bars: seconds until six apps are ready, for each of the five ways to publish them](docs/launch.svg)
\n${table}\n
Until ready, at ${mbitPerSecond} Mbit/s and ${rttMs} ms; medians of ${runs}, in turn. In brackets: ÷ gzip; of later launches ÷ Workbox. ${browser}, ${nginx}, Workbox ${workbox}, ${system},
${cores} cores, no GPU, ${date.slice(0, 10)}: [all numbers](docs/launch.json).\n`;
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
