import type { Page } from '@playwright/test';
import { settingsDatabase, settingsTable } from '../../src/protocol/settings-store.ts';

/** What is kept under this name for the page's origin; undefined where nothing is. Looking makes no database where there is none. */
export function keptSetting(page: Page, name: string): Promise<unknown> {
  return page.evaluate(
    async ({ database, table, name }) => {
      const settled = <Value>(request: IDBRequest<Value>) =>
        new Promise<Value>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const names = (await indexedDB.databases()).map(({ name }) => name);
      if (!names.includes(database)) return undefined;
      const opened = await settled(indexedDB.open(database));
      try {
        return (await settled(opened.transaction(table).objectStore(table).get(name))) as unknown;
      } finally {
        opened.close();
      }
    },
    { database: settingsDatabase, table: settingsTable, name },
  );
}
