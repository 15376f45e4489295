import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeApp } from './apps.ts';
import { buildPackage } from './build-package.ts';
import { compare } from './compare.ts';
import { LINKS } from './link.ts';
import { readOptions, usage } from './options.ts';
import { defaultServerKind } from './server.ts';
import { formatTable } from './table.ts';
import { timeline } from './timeline.ts';

const resultsDir = fileURLToPath(new URL('../.cache/bench/results/', import.meta.url));

/** Launches apps from a plain static server and as Sluice sites, and prints how they compare. Answers the process's exit code. */
export async function launch(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  buildPackage();
  const { apps, links, runs, server = defaultServerKind() } = options;
  for (const linkName of links) {
    const shape = LINKS[linkName];
    for (const appName of apps) {
      const app = await makeApp(appName);
      console.log(`\n${appName}: ${server} with gzip, ${shape.mbitPerSecond} Mbit/s, ${shape.rttMs} ms`);
      if (options.timeline) {
        await timeline(app, shape, server);
        continue;
      }
      const comparison = await compare(app, shape, server, runs, (run) => {
        console.error(`  run ${run + 1} of ${runs}`);
      });
      console.log(`${formatTable(comparison)}`);
      const result = { app: appName, link: linkName, shape, server, cpus: cpus().length, ...comparison };
      await mkdir(resultsDir, { recursive: true });
      const file = join(
        resultsDir,
        `${new Date().toISOString().replaceAll(':', '-')}-${appName}-${linkName}.json`,
      );
      await writeFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
    }
  }
  if (!options.timeline) console.log(legend(runs));
  return 0;
}

function legend(runs: number): string {
  return `
median (least–most) of ${runs}; ratios run by run. Until the app's own sign that it is ready, from the call that navigates.
cold: fresh profile. warm: same profile, new browser process, after the whole image was there (plain: after the network was idle).
On the wire: towards the browser, headers included; for sluice also what the background had brought by then.`;
}
