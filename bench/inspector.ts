import { apps } from './apps.ts';
import { type Change, publishChanged } from './changed-runtime.ts';
import { coldLaunches, ratios } from './cold-launches.ts';
import { columns, threeDigits } from './columns.ts';
import { inspectorFrames } from './inspector-frames.ts';
import { LINKS } from './link.ts';
import { publish } from './publish.ts';
import type { QuietPage } from './quiet-page.ts';
import { withRange } from './table.ts';

const linkName = 'medium';

/** All that a loader notes down for an inspector that nobody has opened. */
const notes: readonly Change[] = [
  withoutBody('loader/inspection/fetch-record.ts', 'bytes(count: number, { whole, start, end }: FetchRange)'),
  withoutBody('loader/inspection/fetch-record.ts', 'arrived(block: number)'),
  withoutBody('loader/inspection/fetch-record.ts', 'verified(block: number, good: boolean)'),
  withoutBody('loader/inspection/fetch-record.ts', 'ended(failure: unknown)'),
  ['loader/inspection/fetch-log.ts', 'this.#records.push(record);', ''],
  withoutBody('loader/inspection/error-log.ts', "add(error: Omit<InspectedError, 'serial'>)"),
];

function withoutBody(file: string, method: string): Change {
  return [file, `${method}: void {`, `${method}: void { return;`];
}

/** Frames of the panel's long lists, and launches beside the panel, without it, and without what is noted down for it. */
export async function inspector(runs: number): Promise<void> {
  await inspectorFrames();
  await launches(runs);
}

/** Cold launches with the inspector's page open in a window beside them, with it closed, and of a build that keeps nothing for it, in turn. */
async function launches(runs: number): Promise<void> {
  const app = await apps.demo.make();
  const published = await publish(app, 'sluice+trace');
  // Built and copied in the same way, so that nothing else differs.
  const dir = await publishChanged(published, 'inspected', []);
  const variants = [
    { name: 'open', dir, beside: openPanel },
    { name: 'closed', dir },
    { name: 'none', dir: await publishChanged(published, 'uninspected', notes) },
  ] as const;
  const { open, closed, none } = await coldLaunches(app, linkName, variants, runs);
  const rows = [['', 'open', 'closed', 'nothing kept for it', 'open ÷ closed', 'closed ÷ nothing kept']];
  for (const [label, of] of [
    ['seconds until ready', 'seconds'],
    ['seconds of processors', 'processor'],
  ] as const) {
    if (none[of].length < runs) continue;
    const all = [open[of], closed[of], none[of], ratios(open[of], closed[of]), ratios(closed[of], none[of])];
    rows.push([label, ...all.map((values) => withRange(values, threeDigits))]);
  }
  const { mbitPerSecond, rttMs } = LINKS[linkName];
  console.log(
    `\ncold launches of the demo with a trace, ${mbitPerSecond} Mbit/s ${rttMs} ms; median (least–most) of ${runs}, in turn; ratios run by run\n${columns(rows, 2)}`,
  );
}

async function openPanel(page: QuietPage, site: string): Promise<() => Promise<void>> {
  const panel = await page.another({ isWindow: true });
  await panel.goto(`${site}/__sluice/`);
  while (!(await panel.evaluate(() => Boolean(customElements.get('sluice-inspector')))))
    await new Promise((resolve) => setTimeout(resolve, 50));
  return async () => {
    if (!(await panel.evaluate(isLive))) throw new Error('the open panel shows nothing');
  };
}

/** In the panel's page: it is seen, and has heard of the launch. */
function isLive(): boolean {
  const panel = document.querySelector('sluice-inspector')!;
  const isLive = panel.shadowRoot!.querySelector('.link > .live') !== null;
  return document.visibilityState === 'visible' && isLive;
}
