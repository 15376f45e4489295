import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { SluiceError } from '../format/errors.ts';
import { parseRelease } from '../format/release.ts';
import { fromNodeError } from './node-error.ts';

/**
 * Makes directory `out` as a whole or not at all: `fill` writes into a new directory beside it, which then takes its name. Whatever fails,
 * nothing is left behind. An existing `out` must be empty or, with `replaceSite`, a site that `sluice build` made, with nothing else in it (`EEXIST`).
 */
export async function makeDirectory<T>(
  out: string,
  options: { readonly replaceSite: boolean },
  fill: (directory: string) => Promise<T>,
): Promise<T> {
  // Where a link leads, so that the link stays one and nothing is made beside it.
  const target = realTarget(out);
  checkTarget(target, out, options.replaceSite);
  const parent = dirname(target);
  // Its permissions become those of the result, so not a mkdtemp, which only its owner may read.
  const id = randomUUID().slice(0, 8);
  const temporary = join(parent, `.sluice-${id}.part`);
  let createdParent: string | undefined;
  try {
    createdParent = attempt('make', parent, () => mkdirSync(parent, { recursive: true }));
    attempt('make', temporary, () => mkdirSync(temporary));
    const result = await fill(temporary);
    // Again: it took a while to fill, and what somebody has put there meanwhile is not thrown away.
    checkTarget(target, out, options.replaceSite);
    attempt('make', out, () => swap(temporary, target, join(parent, `.sluice-${id}.old`)));
    return result;
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    if (createdParent !== undefined) removeEmpty(parent, createdParent);
    throw error;
  }
}

/** Takes away `directory` and those above it up to `top`, as far as nobody else has put anything there. */
function removeEmpty(directory: string, top: string): void {
  try {
    for (let at = directory; at.length >= top.length; at = dirname(at)) rmdirSync(at);
  } catch {
    // In use, or gone: it is not ours any more.
  }
}

/** Throws `EINVAL` where one directory lies in the other, or they are the same. */
export function checkApart(input: string, out: string): void {
  const from = realTarget(input);
  const to = realTarget(out);
  const inside = (a: string, b: string): boolean => a.startsWith(b.endsWith(sep) ? b : b + sep);
  const problem =
    from === to
      ? 'is the app directory itself'
      : inside(to, from)
        ? `lies in the app directory ${input}`
        : inside(from, to)
          ? `has the app directory ${input} in it`
          : undefined;
  if (problem === undefined) return;
  throw new SluiceError('EINVAL', `the output ${out} ${problem}; choose a directory apart from it`, {
    path: out,
  });
}

/** The real path, also of something that is not there yet: of the part that is, and the rest as written. */
function realTarget(path: string): string {
  const absolute = resolve(path);
  for (let at = absolute; ; at = dirname(at)) {
    if (existsSync(at)) return join(realpathSync(at), absolute.slice(at.length));
    if (at === dirname(at)) return absolute;
  }
}

function checkTarget(target: string, out: string, replaceSite: boolean): void {
  const taken = (what: string): SluiceError => new SluiceError('EEXIST', `${out} ${what}`, { path: out });
  try {
    if (!existsSync(target)) return;
    if (!statSync(target).isDirectory()) throw taken('is there already and is no directory');
    if (readdirSync(target).length === 0) return;
    if (!replaceSite) throw taken('is there already and not empty');
    const foreign = foreignFile(target);
    if (foreign !== undefined) throw taken(`is not replaced: ${foreign} in it was not made by sluice build`);
  } catch (error) {
    throw fromNodeError(error, 'write', out);
  }
}

/** A file that no build would have put there; undefined for a site. Nothing unrecognised is ever thrown away. */
function foreignFile(site: string): string | undefined {
  const pointer = join(site, 'sluice.json');
  if (!existsSync(pointer)) return readdirSync(site)[0];
  try {
    parseRelease(readFileSync(pointer, 'utf8'));
  } catch (error) {
    // Some other program's file, or a newer build's: not ours to replace.
    if (error instanceof SluiceError) return 'sluice.json';
    throw error;
  }
  for (const entry of readdirSync(site, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(site.length + 1).replaceAll(sep, '/');
    const known = /^(?:[0-9a-f]{64}\.bin|sluice\.json|sw\.js|__sluice\/.*)$/.test(name);
    if (!entry.isFile() || !(known || (/\.html?$/i.test(name) && isBootPage(path)))) return name;
  }
  return undefined;
}

function isBootPage(path: string): boolean {
  const head = Buffer.alloc(16_384);
  const descriptor = openSync(path, 'r');
  try {
    return head.subarray(0, readSync(descriptor, head, 0, head.length, 0)).includes('id="sluice-boot"');
  } finally {
    closeSync(descriptor);
  }
}

/** Between the two renames there is neither: nobody else serves from a directory that is being replaced without noticing. */
function swap(from: string, to: string, aside: string): void {
  if (!existsSync(to)) {
    renameSync(from, to);
    return;
  }
  renameSync(to, aside);
  try {
    renameSync(from, to);
  } catch (error) {
    renameSync(aside, to);
    throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

function attempt<T>(doing: string, path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    throw fromNodeError(error, doing, path);
  }
}
