import { readSettings, writeSettings } from './settings.ts';

/** A visitor who did not want it is not asked again at every launch. */
const askAgainMs = 7 * 24 * 60 * 60 * 1000;
/** What a visitor does on purpose. Some browsers put the question before the visitor, who should have something to do with it. */
const gestures = ['click', 'keydown'] as const;

/** Whether the browser has promised not to clear the origin's storage by itself; undefined where it does not tell. */
export async function isPersisted(): Promise<boolean | undefined> {
  try {
    return await storageManager()?.persisted?.();
  } catch {
    return undefined; // An opaque origin, or storage that is denied: there is nothing to keep.
  }
}

/** Asks for that promise. Answers whether it was given. */
export async function persist(scope: string): Promise<boolean> {
  void writeSettings(scope, { persistAskedAt: Date.now() });
  try {
    return (await storageManager()?.persist?.()) ?? false;
  } catch (error) {
    console.info('sluice: storage cannot be made persistent:', error);
    return false;
  }
}

/** The same at the visitor's next gesture, unless the promise was given, or asked for lately. To be called when there is something worth keeping. */
export async function persistAtGesture(scope: string): Promise<void> {
  if ((await isPersisted()) !== false) return;
  const { persistAskedAt } = await readSettings(scope);
  if (Date.now() - persistAskedAt < askAgainMs) return;
  const ask = (): void => {
    for (const name of gestures) removeEventListener(name, ask, true);
    void persist(scope);
  };
  for (const name of gestures) addEventListener(name, ask, true);
}

/** Typed as always there, with all of it; older engines and insecure pages have less. */
function storageManager(): Partial<StorageManager> | undefined {
  return navigator.storage;
}
