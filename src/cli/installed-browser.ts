import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SluiceError } from '../format/errors.ts';

const names = [
  'google-chrome',
  'google-chrome-stable',
  'chromium',
  'chromium-browser',
  'microsoft-edge',
  'chrome.exe',
  'msedge.exe',
];

const places: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge',
  ],
  win32: ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((variable) => {
    const folder = process.env[variable];
    if (!folder) return [];
    return [
      join(folder, 'Google/Chrome/Application/chrome.exe'),
      join(folder, 'Microsoft/Edge/Application/msedge.exe'),
    ];
  }),
};

/**
 * The executable of a browser of Chromium's family: the named one, else what CHROME_PATH names, else one that is installed. Throws `no-browser`.
 */
export function installedBrowser(named: string | undefined = process.env.CHROME_PATH): string {
  if (named) {
    if (isExecutable(named)) return named;
    throw new SluiceError('no-browser', `${named} is no program that can be run`, { path: named });
  }
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const found = [...(places[process.platform] ?? []), ...onPath].find(isExecutable);
  if (found === undefined) throw new SluiceError('no-browser', 'No Chrome, Chromium or Edge was found');
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // Absent and not executable are the same answer here.
  }
}
