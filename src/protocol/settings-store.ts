import type { UseStore } from 'idb-keyval';

/** Ours alone: an app that uses idb-keyval as well has its default database, and may clear it. */
export const settingsDatabase = 'sluice';
export const settingsTable = 'settings';

let opened: Promise<IDBDatabase> | undefined;

/**
 * Where small settings are kept, for all sites of an origin: the store that idb-keyval's functions take. Steps back when somebody deletes the database, as an app that resets
 * all that its origin keeps may do and would wait for us otherwise; the next use opens it again. Rejects as IndexedDB does.
 */
export const settingsStore: UseStore = async (mode, use) => {
  opened ??= open();
  const database = await opened;
  return use(database.transaction(settingsTable, mode).objectStore(settingsTable));
};

function open(): Promise<IDBDatabase> {
  const opening = new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(settingsDatabase);
    request.onupgradeneeded = () => request.result.createObjectStore(settingsTable);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => resolve(request.result);
  });
  const forget = (): void => {
    opened = undefined;
  };
  opening.then((database) => {
    database.onclose = forget;
    database.onversionchange = () => {
      forget();
      database.close();
    };
  }, forget);
  return opening;
}
