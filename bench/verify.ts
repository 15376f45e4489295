import { type AppName, apps } from './apps.ts';
import { type Change, publishChanged } from './changed-runtime.ts';
import { coldLaunches, ratios } from './cold-launches.ts';
import { columns, threeDigits } from './columns.ts';
import { LINKS } from './link.ts';
import { publish } from './publish.ts';
import { withRange } from './table.ts';

const measured: readonly AppName[] = ['demo', 'pyodide'];
/** The faster the link, the more of a launch is the machine's own work. */
const links = ['fast', 'medium'] as const;

/** Every check of a digest on the way of an image's bytes, and what it is without one. */
const checks: readonly Change[] = [
  ['format/block-table.ts', 'compareBytes(await sha256(stored), table.digest(i)) === 0', 'true'],
  ['format/block-table.ts', 'hex(await sha256(bytes)) !== record.tableSha256', 'false'],
  ['image/image.ts', 'const id = hex(await sha256(bytes));', 'const id = options.sha256!;'],
];

/** Cold launches, with a trace, of the product and of one in which every digest counts as right, in turn. */
export async function verify(runs: number): Promise<void> {
  const rows: string[][] = [['', 'seconds', 'verified', 'unverified', 'verified ÷ unverified']];
  for (const appName of measured) {
    const app = await apps[appName].make();
    const published = await publish(app, 'sluice+trace');
    // Built and copied in the same way, so that nothing else differs.
    const variants = [
      { name: 'verified', dir: await publishChanged(published, 'verified', []) },
      { name: 'unverified', dir: await publishChanged(published, 'unverified', checks) },
    ] as const;
    for (const link of links) {
      const { verified, unverified } = await coldLaunches(app, link, variants, runs);
      const label = `${appName}, ${LINKS[link].mbitPerSecond} Mbit/s ${LINKS[link].rttMs} ms`;
      rows.push(rowOf(label, 'until ready', verified.seconds, unverified.seconds));
      if (verified.processor.length === runs)
        rows.push(rowOf(label, 'of processors', verified.processor, unverified.processor));
    }
  }
  console.log(
    `\ncold launches with a trace, until ready; median (least–most) of ${runs}, in turn; ratios run by run\n${columns(rows, 2)}`,
  );
}

function rowOf(
  label: string,
  what: string,
  verified: readonly number[],
  unverified: readonly number[],
): string[] {
  const all = [verified, unverified, ratios(verified, unverified)];
  return [label, what, ...all.map((values) => withRange(values, threeDigits))];
}
