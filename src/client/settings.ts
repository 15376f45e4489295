import { get, set } from 'idb-keyval';

/** What a visitor's choice on one site is kept under. */
const key = (scope: string) => `sluice:settings:${scope}`;

/** Small settings of one site that outlive the tab. */
export interface Settings {
  readonly showProgress: boolean;
}

const defaults: Settings = { showProgress: false };

/** Where IndexedDB is denied (some private windows), the defaults: a setting is never worth an error. */
export async function readSettings(scope: string): Promise<Settings> {
  try {
    return { ...defaults, ...(await get<Partial<Settings>>(key(scope))) };
  } catch (error) {
    console.info('sluice: settings are not kept in this browser:', error);
    return defaults;
  }
}

export async function writeSettings(scope: string, settings: Settings): Promise<void> {
  try {
    await set(key(scope), settings);
  } catch (error) {
    console.info('sluice: settings are not kept in this browser:', error);
  }
}
