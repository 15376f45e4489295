import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { launchChart } from './launch-chart.ts';
import { type LinkName, linkNames } from './options.ts';
import { formatFigures, publication } from './publication.ts';
import { withReadmeTable } from './readme-table.ts';
import { newest, readResults } from './results.ts';

const root = new URL('../', import.meta.url);

export const usage = `npm run bench -- chart [options]
  --link NAME     ${linkNames.join(', ')}: the link that the picture shows (default medium)
  --runs N        an older result with so many launches counts before a newer one with fewer (default 5)
Writes docs/launch.json, docs/launch.svg and the table in README.md.`;

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
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const files = {
    'docs/launch.json': `${JSON.stringify(published, undefined, 2)}\n`,
    'docs/launch.svg': launchChart(published, link),
    'README.md': withReadmeTable(readme, published, link),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(new URL(name, root), content);
  console.log(`${formatFigures(published)}\n`);
  for (const name of Object.keys(files)) console.log(fileURLToPath(new URL(name, root)));
  return 0;
}
