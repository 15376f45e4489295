import { BrowserProfile } from '../test/support/browser-profile.ts';
import { columns, threeDigits } from './columns.ts';
import { type HugeImage, hugeImage } from './huge-image.ts';
import { HugeSite } from './huge-site.ts';
import { heldByMount, heldByReverseMap, measureTree, type Note } from './measure-tree.ts';
import { withRange } from './table.ts';

/** Bytes of each of the 100,000 files. */
const sizes = { '1 GB': 10_240, '10 GB': 102_400 } as const;
type Name = keyof typeof sizes;
const names = Object.keys(sizes) as Name[];

/** label → values of each image, in the order of runs. */
type Measured = Map<string, Record<Name, number[]>>;

/** Measures an image of 100,000 files and 10 GB beside one of the same files with a tenth of the bytes, in turn. */
export async function huge(runs: number): Promise<void> {
  const measured: Measured = new Map();
  const noteFor =
    (name: Name): Note =>
    (label, value) => {
      const values = measured.get(label) ?? { '1 GB': [], '10 GB': [] };
      measured.set(label, values);
      values[name].push(value);
    };
  const images = Object.fromEntries(names.map((name) => [name, hugeImage(sizes[name])])) as Record<
    Name,
    HugeImage
  >;
  for (const name of names) {
    const { bootstrap, blobs } = images[name];
    noteFor(name)('bootstrap on the wire, MB', bootstrap.length / 1e6);
    noteFor(name)('blobs', blobs.length + 1);
  }
  for (let run = 0; run < runs; run++) {
    for (const name of inTurn(run)) {
      const { bootstrap } = images[name];
      await measureTree(bootstrap, noteFor(name));
      noteFor(name)('Node: memory held by an open image, MB', (await heldByMount(bootstrap)) / 1e6);
      noteFor(name)('Node: memory held by its reverse map, MB', (await heldByReverseMap(bootstrap)) / 1e6);
    }
  }
  console.error('  Chromium');
  await inChromium(images, runs, noteFor);
  print(measured, runs);
}

function inTurn(run: number): readonly Name[] {
  return run % 2 === 0 ? names : names.toReversed();
}

/** Both images in one browser, each on an origin of its own. */
async function inChromium(
  images: Readonly<Record<Name, HugeImage>>,
  runs: number,
  noteFor: (name: Name) => Note,
): Promise<void> {
  await using small = await HugeSite.start(images['1 GB']);
  await using large = await HugeSite.start(images['10 GB']);
  const sites = { '1 GB': small, '10 GB': large };
  const profile = await BrowserProfile.create();
  try {
    const context = await profile.launch();
    for (const name of names) await sites[name].open(context, noteFor(name));
    for (let run = 0; run < runs; run++) {
      for (const name of inTurn(run)) await sites[name].measureMount(noteFor(name));
    }
    for (const name of names) await sites[name].launch();
    for (let run = 0; run < runs; run++) {
      for (const name of inTurn(run)) await sites[name].measureFirstByte(noteFor(name));
    }
  } finally {
    await profile.remove();
  }
}

function print(measured: Measured, runs: number): void {
  const rows = [['', ...names, '10 GB ÷ 1 GB']];
  for (const [label, values] of measured) {
    const [small, large] = names.map((name) => values[name]) as [number[], number[]];
    const ratios = large.map((value, run) => value / small[run]!);
    const cells = [small, large].map((all) =>
      all.length > 1 ? withRange(all, threeDigits) : threeDigits(all[0]!),
    );
    rows.push([
      label,
      ...cells,
      ratios.length > 1 ? withRange(ratios, threeDigits) : threeDigits(ratios[0]!),
    ]);
  }
  console.log(`\n100,000 files, one block each; median (least–most) of ${runs}\n${columns(rows, 1)}`);
}
