import type { TestApp } from '../test/apps/test-app.ts';
import { BrowserProfile } from '../test/support/browser-profile.ts';
import { LINKS, ShapedLink } from './link.ts';
import type { LinkName } from './options.ts';
import type { QuietPage } from './quiet-page.ts';
import { rotated } from './rotated.ts';
import { defaultServerKind, startServer } from './server.ts';
import { visit } from './visit.ts';

/** One of several that are launched in turn. */
export interface Variant<Name extends string> {
  readonly name: Name;
  /** What is published. */
  readonly dir: string;
  /** Opens something beside the launch; what it answers fails where that was not as it should once the app is ready. */
  readonly beside?: (page: QuietPage, site: string) => Promise<() => Promise<void>>;
}

/** Until the app was ready, in the order of runs. */
export interface Times {
  readonly seconds: number[];
  /** Of all processes of the browser; empty where that cannot be told. */
  readonly processor: number[];
}

/** Cold launches of an app, with a trace, of each variant in turn. */
export async function coldLaunches<Name extends string>(
  app: TestApp,
  linkName: LinkName,
  variants: readonly Variant<Name>[],
  runs: number,
): Promise<Record<Name, Times>> {
  const times = Object.fromEntries(
    variants.map(({ name }) => [name, { seconds: [], processor: [] }]),
  ) as unknown as Record<Name, Times>;
  for (let run = 0; run < runs; run++) {
    for (const variant of rotated(variants, run)) {
      const { readyMs, cpuMs } = await launch(app, linkName, variant);
      times[variant.name].seconds.push(readyMs / 1000);
      if (cpuMs !== undefined) times[variant.name].processor.push(cpuMs / 1000);
    }
    console.error(`  ${app.name}, ${linkName}: run ${run + 1} of ${runs}`);
  }
  return times;
}

async function launch(app: TestApp, linkName: LinkName, { dir, beside }: Variant<string>) {
  await using server = await startServer(defaultServerKind(), dir, 'gzip');
  await using link = await ShapedLink.start({ shape: LINKS[linkName], targetPort: server.port });
  const url = `${link.url}/${app.entry}`;
  const profile = await BrowserProfile.create();
  try {
    const side = { name: 'sluice+trace', app, link, url, firstUrl: url } as const;
    let check = async (): Promise<void> => {};
    return await visit(
      profile,
      side,
      'cold',
      async (_page, result) => {
        await check();
        return result;
      },
      async (page) => {
        if (beside) check = await beside(page, link.url);
      },
    );
  } finally {
    await profile.remove();
  }
}

/** Run by run: a machine that was busy for a while was so for both. */
export function ratios(values: readonly number[], base: readonly number[]): number[] {
  return values.map((value, run) => value / base[run]!);
}
