import { cp, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { BrowserProfile } from '../test/support/browser-profile.ts';
import { type AppName, apps } from './apps.ts';
import { columns, threeDigits } from './columns.ts';
import { LINKS, ShapedLink } from './link.ts';
import { publish } from './publish.ts';
import { rotated } from './rotated.ts';
import { defaultServerKind, startServer } from './server.ts';
import { withRange } from './table.ts';
import { buildUnverified } from './unverified-runtime.ts';
import { visit } from './visit.ts';

const measured: readonly AppName[] = ['demo', 'pyodide'];
/** The faster the link, the more of a launch is the machine's own work. */
const links = ['fast', 'medium'] as const;
const names = ['verified', 'unverified'] as const;

/** In the order of runs. */
type Seconds = Record<(typeof names)[number], number[]>;

/** Cold launches, with a trace, of the product and of one in which every digest counts as right, in turn. */
export async function verify(runs: number): Promise<void> {
  const rows: string[][] = [['', 'seconds', ...names, 'verified ÷ unverified']];
  for (const appName of measured) {
    const app = await apps[appName].make();
    const verified = await publish(app, 'sluice+trace');
    const unverified = fileURLToPath(
      new URL(`../.cache/bench/published/${app.name}/unverified/`, import.meta.url),
    );
    await rm(unverified, { recursive: true, force: true });
    await cp(verified, unverified, { recursive: true, preserveTimestamps: true });
    await buildUnverified(unverified);
    for (const linkName of links) {
      const shape = LINKS[linkName];
      const ready: Seconds = { verified: [], unverified: [] };
      const processor: Seconds = { verified: [], unverified: [] };
      for (let run = 0; run < runs; run++) {
        for (const name of rotated(names, run)) {
          await using server = await startServer(
            defaultServerKind(),
            name === 'verified' ? verified : unverified,
            'gzip',
          );
          await using link = await ShapedLink.start({ shape, targetPort: server.port });
          const url = `${link.url}/${app.entry}`;
          const profile = await BrowserProfile.create();
          try {
            const side = { name: 'sluice+trace', app, link, url, firstUrl: url } as const;
            const { readyMs, cpuMs } = await visit(profile, side, 'cold', async (_page, result) => result);
            ready[name].push(readyMs / 1000);
            if (cpuMs !== undefined) processor[name].push(cpuMs / 1000);
          } finally {
            await profile.remove();
          }
        }
        console.error(`  ${appName}, ${linkName}: run ${run + 1} of ${runs}`);
      }
      const label = `${appName}, ${shape.mbitPerSecond} Mbit/s ${shape.rttMs} ms`;
      rows.push(rowOf(label, 'until ready', ready));
      if (processor.unverified.length === runs) rows.push(rowOf(label, 'of processors', processor));
    }
  }
  console.log(
    `\ncold launches with a trace, until ready; median (least–most) of ${runs}, in turn; ratios run by run\n${columns(rows, 2)}`,
  );
}

function rowOf(label: string, what: string, { verified, unverified }: Seconds): string[] {
  const ratios = verified.map((value, run) => value / unverified[run]!);
  return [label, what, ...[verified, unverified, ratios].map((all) => withRange(all, threeDigits))];
}
