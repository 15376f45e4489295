import { BrowserProfile } from '../test/support/browser-profile.ts';
import { apps } from './apps.ts';
import { columns, threeDigits } from './columns.ts';
import { inspectorFrames } from './inspector-frames.ts';
import { LINKS, ShapedLink } from './link.ts';
import { publish } from './publish.ts';
import type { QuietPage } from './quiet-page.ts';
import { rotated } from './rotated.ts';
import { defaultServerKind, startServer } from './server.ts';
import { withRange } from './table.ts';
import { visit } from './visit.ts';

const names = ['closed', 'open'] as const;

/** Frames of the block map, and launches beside the panel. */
export async function inspector(runs: number): Promise<void> {
  await inspectorFrames();
  await launches(runs);
}

/** Cold launches with the inspector's page open in a window beside them and not, in turn. */
async function launches(runs: number): Promise<void> {
  const app = await apps.demo.make();
  const published = await publish(app, 'sluice+trace');
  const shape = LINKS.medium;
  const ready: Record<(typeof names)[number], number[]> = { closed: [], open: [] };
  for (let run = 0; run < runs; run++) {
    for (const name of rotated(names, run)) {
      await using server = await startServer(defaultServerKind(), published, 'gzip');
      await using link = await ShapedLink.start({ shape, targetPort: server.port });
      const url = `${link.url}/${app.entry}`;
      const profile = await BrowserProfile.create();
      try {
        const side = { name: 'sluice+trace', app, link, url, firstUrl: url } as const;
        let panel: QuietPage | undefined;
        const before = async (page: QuietPage): Promise<void> => {
          if (name === 'open') panel = await openPanel(page, link.url);
        };
        const look = async (_page: QuietPage, { readyMs }: { readyMs: number }): Promise<number> => {
          if (panel && !(await panel.evaluate(isLive))) throw new Error('the open panel shows nothing');
          return readyMs / 1000;
        };
        ready[name].push(await visit(profile, side, 'cold', look, before));
      } finally {
        await profile.remove();
      }
    }
    console.error(`  run ${run + 1} of ${runs}`);
  }
  const ratios = ready.open.map((value, run) => value / ready.closed[run]!);
  const rows = [
    ['', ...names, 'open ÷ closed'],
    ['seconds until ready', ...[ready.closed, ready.open, ratios].map((all) => withRange(all, threeDigits))],
  ];
  console.log(
    `\ncold launches of the demo with a trace, ${shape.mbitPerSecond} Mbit/s ${shape.rttMs} ms; median (least–most) of ${runs}, in turn; ratios run by run\n${columns(rows, 2)}`,
  );
}

async function openPanel(page: QuietPage, site: string): Promise<QuietPage> {
  const panel = await page.another({ isWindow: true });
  await panel.goto(`${site}/__sluice/`);
  while (!(await panel.evaluate(() => Boolean(customElements.get('sluice-inspector')))))
    await new Promise((resolve) => setTimeout(resolve, 50));
  return panel;
}

/** In the panel's page: it is seen, and has heard of the launch. */
function isLive(): boolean {
  const panel = document.querySelector('sluice-inspector')!;
  const isLive = panel.shadowRoot!.querySelector('.link > .live') !== null;
  return document.visibilityState === 'visible' && isLive;
}
