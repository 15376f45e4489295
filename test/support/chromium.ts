import { type BrowserContext, chromium } from '@playwright/test';
import { findChromium } from '../../scripts/find-browsers.mjs';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A test has no finger to allow sound with.
  '--autoplay-policy=no-user-gesture-required',
];

/** The driver keeps extensions out; who tests one lets them in, and loads them by the protocol (`Extensions.loadUnpacked`). */
const WITH_EXTENSIONS = {
  args: [...ARGS, '--enable-unsafe-extension-debugging'],
  ignoreDefaultArgs: ['--disable-extensions'],
};

/** Starts Chromium on the profile in `dir`, its scratch files in `temp`. It draws WebGL in software. */
export async function launchChromium(
  dir: string,
  temp: string,
  { extensions = false } = {},
): Promise<BrowserContext> {
  const executablePath = await findChromium();
  if (!executablePath) throw new Error('no Chromium: run `node scripts/ensure-installed.mjs --browsers`');
  return chromium.launchPersistentContext(dir, {
    executablePath,
    headless: true,
    ...(extensions ? WITH_EXTENSIONS : { args: ARGS }),
    // A killed browser leaves its sockets and scratch files behind: let them go with the profile.
    env: { ...process.env, TMPDIR: temp },
  });
}
