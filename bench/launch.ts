import { type AppName, apps } from './apps.ts';
import { buildPackage } from './build-package.ts';
import { type Comparison, compare, type Failure, type Launch } from './compare.ts';
import { LINKS } from './link.ts';
import { thisMachine } from './machine.ts';
import { type BenchOptions, type LinkName, readOptions, usage } from './options.ts';
import { writeResult } from './results.ts';
import { defaultServerKind, type ServerKind } from './server.ts';
import { formatTable } from './table.ts';
import { timeline } from './timeline.ts';

/** Launches apps as plain servers, Workbox and Sluice publish them, and prints how they compare. Answers the process's exit code. */
export async function launch(args: readonly string[]): Promise<number> {
  let options: BenchOptions;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const { links, server = defaultServerKind() } = options;
  const sides = options.sides.filter((side) => server === 'nginx' || side !== 'brotli');
  if (sides.length < options.sides.length) console.error(`without brotli, which ${server} does not serve`);
  buildPackage();
  let failures = 0;
  for (const link of links) {
    for (const appName of options.apps) {
      const { mbitPerSecond, rttMs } = LINKS[link];
      console.log(`\n${appName}: ${server}, ${mbitPerSecond} Mbit/s, ${rttMs} ms`);
      const narrowed = { ...options, sides, server };
      if (options.timeline) await timeline(await apps[appName].make(), LINKS[link], server, sides);
      else failures += (await measure(appName, link, narrowed)).failures.length;
    }
  }
  if (!options.timeline) console.log(legend(options.runs));
  return failures === 0 ? 0 : 1;
}

/** One app on one link. What there is after each visitor is kept at once. */
async function measure(
  appName: AppName,
  link: LinkName,
  { sides, visits, server, runs }: BenchOptions & { readonly server: ServerKind },
): Promise<Comparison> {
  const began = performance.now();
  const date = new Date().toISOString();
  const machine = await thisMachine();
  const shape = LINKS[link];
  const plan = { app: await apps[appName].make(), shape, server, sides, visits, runs };
  let measured: Comparison = { launches: [], failures: [] };
  for await (const { launches, failures } of compare(plan)) {
    for (const line of news(
      launches.slice(measured.launches.length),
      failures.slice(measured.failures.length),
    )) {
      console.error(`  ${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}`);
    }
    measured = { launches: [...launches], failures: [...failures] };
    writeResult({ version: 2, date, app: appName, link, shape, server, machine, ...measured });
  }
  console.log(formatTable(measured));
  return measured;
}

function news(launches: readonly Launch[], failures: readonly Failure[]): string[] {
  const [first] = launches;
  const times = launches.map(({ visit, readyMs }) => `${visit} ${(readyMs / 1000).toFixed(2)} s`).join(', ');
  return [
    ...(first === undefined ? [] : [`run ${first.run + 1}, ${first.side}: ${times}`]),
    ...failures.map(({ run, side, message }) => `run ${run + 1}, ${side} FAILED: ${message}`),
  ];
}

function legend(runs: number): string {
  return `
median (least–most) of ${runs}; ratios run by run. Until the app's own sign that it is ready, from the call that navigates.
cold: fresh profile. warm: same profile, new browser process, after everything was there. offline: the same, and no server.
workbox, cold: the first navigation is to a page that precaches everything and then goes to the app.
On the wire: towards the browser, headers included; for sluice also what the background had brought by then.`;
}
