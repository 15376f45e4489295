import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { launchChart } from './launch-chart.ts';
import { type LinkName, linkNames } from './options.ts';
import { formatFigures, publication } from './publication.ts';
import { readmeTable } from './readme-table.ts';
import { newest, readResults } from './results.ts';

const docs = new URL('../docs/', import.meta.url);

export const usage = `npm run bench -- chart [options]
  --link NAME     ${linkNames.join(', ')}: the link that the picture shows (default medium)
  --runs N        an older result with so many launches counts before a newer one with fewer (default 5)
Writes docs/launch.json and docs/launch.svg.`;

/** Publishes the newest results of this machine. Answers the process's exit code. */
export async function chart(args: readonly string[]): Promise<number> {
  let link: LinkName | undefined;
  let runs: number;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { link: { type: 'string', default: 'medium' }, runs: { type: 'string', default: '5' } },
    });
    link = linkNames.find((name) => name === values.link);
    if (link === undefined) throw new Error(`--link ${values.link}: one of ${linkNames.join(', ')}`);
    runs = Number(values.runs);
    if (!Number.isInteger(runs) || runs < 1)
      throw new Error(`--runs ${values.runs}: a whole number from 1 on`);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    return 2;
  }
  const results = readResults();
  const last = results.at(-1);
  if (last === undefined) {
    console.error('nothing was measured yet: npm run bench');
    return 1;
  }
  const combinations = newest(
    // Other browsers, other servers: not beside each other.
    results.filter(({ machine }) => isDeepStrictEqual(machine, last.machine)),
    runs,
  );
  const published = publication(combinations, last.machine);
  writeFileSync(new URL('launch.json', docs), `${JSON.stringify(published, undefined, 2)}\n`);
  writeFileSync(new URL('launch.svg', docs), launchChart(published, link));
  console.log(`${formatFigures(published)}\n\nFor the README, ${link}:\n${readmeTable(published, link)}\n`);
  for (const name of ['launch.json', 'launch.svg']) console.log(fileURLToPath(new URL(name, docs)));
  return 0;
}
