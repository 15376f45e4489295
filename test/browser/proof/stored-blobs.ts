import type { Page } from '@playwright/test';

/** The blobs in the page's OPFS, of all stores: SHA-256 in the file's name → SHA-256 of what is in the file, hex. */
export function storedBlobs(page: Pick<Page, 'evaluate'>): Promise<Record<string, string>> {
  return page.evaluate(async () => {
    const found: Record<string, string> = {};
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('sluice');
    for await (const store of root.values()) {
      const blobs = await (store as FileSystemDirectoryHandle).getDirectoryHandle('blobs');
      for await (const entry of blobs.values()) {
        const file = await (entry as FileSystemFileHandle).getFile();
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
        const hex = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
        found[entry.name.slice(0, 64)] = hex;
      }
    }
    return found;
  });
}
