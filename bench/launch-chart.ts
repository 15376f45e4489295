import { appNames, apps } from './apps.ts';
import { LINKS } from './link.ts';
import type { LinkName } from './options.ts';
import type { Measurement, Publication } from './publication.ts';
import { type SideName, sideNames } from './side.ts';

const width = 860;
const left = 150;
/** Bars may be so long; right of them is room for their words. */
const barWidth = 540;
const barHeight = 13;
const barStep = 17;
const groupHead = 24;
const groupGap = 16;
const top = 84;
const foot = 76;
const charactersPerLine = 132;

const labels: Readonly<Record<SideName, string>> = {
  gzip: 'gzip',
  brotli: 'brotli, in advance',
  workbox: 'Workbox precache',
  sluice: 'Sluice',
  'sluice+trace': 'Sluice with a trace',
};

/** Read in light and in dark, as the reader's system has it: an image in a page cannot know the page's own choice. */
const style = `
    text { font: 12px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #24292f; }
    .title { font-size: 17px; font-weight: 600; }
    .app { font-size: 13px; font-weight: 600; }
    .small { font-size: 11px; fill: #57606a; }
    .grid { stroke: #d0d7de; }
    .gzip, .brotli { fill: #8c959f; }
    .workbox { fill: #bf8700; }
    .sluice { fill: #54aeff; }
    .sluice-trace { fill: #0969da; }
    .back, .cut { fill: #ffffff; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3; }
      .small { fill: #9198a1; }
      .grid { stroke: #3d444d; }
      .gzip, .brotli { fill: #656c76; }
      .workbox { fill: #d29922; }
      .sluice { fill: #1f6feb; }
      .sluice-trace { fill: #79c0ff; }
      .back, .cut { fill: #0d1117; }
    }
  `;

/** Cold launches on one link, as an SVG by itself: a group of bars for each app. Throws an Error where nothing was measured there. */
export function launchChart({ measurements, machine, date }: Publication, link: LinkName): string {
  const shown = measurements.filter((m) => m.link === link && m.visit === 'cold');
  if (shown.length === 0) throw new Error(`no cold launch was measured on the ${link} link`);
  const { mbitPerSecond, rttMs } = LINKS[link];
  const runs = [...new Set(shown.map((m) => m.runs))].sort((a, b) => a - b).join('–');
  const most = longest(shown);
  const groups: string[] = [];
  let y = top;
  for (const app of appNames) {
    const bars = sideNames.flatMap((side) => shown.find((m) => m.app === app && m.side === side) ?? []);
    if (bars.length === 0) continue;
    groups.push(`<text class="app" x="16" y="${y + 14}">${escapeText(apps[app].title)}</text>`);
    y += groupHead;
    for (const bar of bars) {
      groups.push(...drawBar(bar, y, most, bars[0]!));
      y += barStep;
    }
    y += groupGap;
  }
  const bottom = y - groupGap + 4;
  const words = `${machine.browser}, ${machine.nginx}, Workbox ${machine.workbox}, ${machine.system}, ${machine.cores} cores, ${date.slice(0, 10)}. From the first navigation to the app’s own sign that it is ready; for Workbox that includes the precache. A fresh profile and a new browser process each time, sides interleaved, HTTP/1.1 over one shared link.`;
  const method = lines(words, charactersPerLine).map(
    (line, i) => `<text class="small" x="16" y="${bottom + 32 + i * 15}">${escapeText(line)}</text>`,
  );
  const height = bottom + foot;
  const title = 'Cold launch: seconds until the app is ready';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">
  <style>${style}</style>
  <rect class="back" width="${width}" height="${height}" rx="6"/>
  <text class="title" id="title" x="16" y="32">${title}</text>
  <text class="small" x="16" y="52">${mbitPerSecond} Mbit/s, ${rttMs} ms round trip; median of ${runs}; shorter is better</text>
  ${[...grid(most, bottom), ...groups, ...method].join('\n  ')}
</svg>
`;
}

/** Seconds that the longest bar means. Waiting for everything takes so much longer that it would leave nothing to see of the rest: it is cut. */
function longest(shown: readonly Measurement[]): number {
  const seconds = (of: readonly Measurement[]) =>
    Math.max(0, ...of.map(({ readyMs }) => readyMs.median / 1000));
  const others = seconds(shown.filter(({ side }) => side !== 'workbox'));
  return others === 0 ? seconds(shown) : Math.min(seconds(shown), others * 1.25);
}

function drawBar({ side, readyMs }: Measurement, y: number, most: number, base: Measurement): string[] {
  const seconds = readyMs.median / 1000;
  const length = (Math.min(seconds, most) / most) * barWidth;
  const ratio = readyMs.median / base.readyMs.median;
  const compared = side === base.side ? '' : `, ${ratio.toFixed(2)} × ${labels[base.side]}`;
  const middle = y + barHeight - 3;
  const bar = [
    `<text x="${left - 8}" y="${middle}" text-anchor="end">${labels[side]}</text>`,
    `<rect class="${side.replace('+', '-')}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="2"/>`,
    `<text x="${(left + length + 6).toFixed(1)}" y="${middle}">${seconds.toFixed(1)} s${compared}</text>`,
  ];
  if (seconds > most) bar.push(cut(left + length - 24, y));
  return bar;
}

/** Two slanted gaps in a bar that is longer than there is room. */
function cut(x: number, y: number): string {
  const gap = (at: number) => `M${at} ${y + barHeight + 1}l5 -${barHeight + 2}h4l-5 ${barHeight + 2}z`;
  return `<path class="cut" d="${gap(x)}${gap(x + 8)}"/>`;
}

function grid(most: number, bottom: number): string[] {
  const steps = [0.5, 1, 2, 5, 10, 20, 50, 100];
  const step = steps.find((candidate) => most / candidate <= 8) ?? 200;
  return Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => {
    const x = (left + (i * step * barWidth) / most).toFixed(1);
    const line = `<line class="grid" x1="${x}" x2="${x}" y1="${top - 6}" y2="${bottom}"/>`;
    return `${line}<text class="small" x="${x}" y="${bottom + 14}" text-anchor="middle">${i * step} s</text>`;
  });
}

function lines(words: string, length: number): string[] {
  const made: string[] = [];
  for (const word of words.split(' ')) {
    const last = made.at(-1);
    if (last === undefined || last.length + word.length >= length) made.push(word);
    else made[made.length - 1] = `${last} ${word}`;
  }
  return made;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
