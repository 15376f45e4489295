import { get, update } from 'idb-keyval';
import { settingsStore } from '../protocol/settings-store.ts';

/** What a visitor's choice on one site is kept under. */
const key = (scope: string) => `sluice:settings:${scope}`;

/** Small settings of one site that outlive the tab. */
export interface Settings {
  readonly showProgress: boolean;
  readonly performanceTrack: boolean;
  /** When the browser was asked to keep the origin's storage, by Date.now(); 0 = never. */
  readonly persistAskedAt: number;
}

const defaults: Settings = { showProgress: false, performanceTrack: false, persistAskedAt: 0 };

/** Where IndexedDB is denied (some private windows), the defaults: a setting is never worth an error. */
export async function readSettings(scope: string): Promise<Settings> {
  try {
    return { ...defaults, ...(await get<Partial<Settings>>(key(scope), settingsStore)) };
  } catch (error) {
    console.info('sluice: settings are not kept in this browser:', error);
    return defaults;
  }
}

/** The settings that are not given stay as they are. */
export async function writeSettings(scope: string, settings: Partial<Settings>): Promise<void> {
  try {
    await update<Partial<Settings>>(key(scope), (kept) => ({ ...kept, ...settings }), settingsStore);
  } catch (error) {
    console.info('sluice: settings are not kept in this browser:', error);
  }
}
