import { LoaderProcess } from '../client/loader-process.ts';
import { SluiceError } from '../format/errors.ts';
import type { MessageEndpoint } from '../protocol/channel.ts';
import type { InspectedVersion } from '../protocol/inspection.ts';
import { scopeOfRuntimeCache } from '../protocol/messages.ts';
import type { InspectorHome } from './home.ts';
import { storedImages } from './service/stored-images.ts';

/** A page of the inspected origin itself. */
export class PageHome implements InspectorHome {
  readonly scope: string | undefined;

  constructor(scope: string | undefined) {
    this.scope = scope;
  }

  newChannel(name: string): MessageEndpoint {
    return new BroadcastChannel(name);
  }

  holdLock(name: string): Promise<() => void> {
    return new Promise((resolve, reject) => {
      locks()
        .request(name, () => new Promise<void>((release) => resolve(release)))
        .catch(reject);
    });
  }

  async heldLocks(): Promise<readonly string[]> {
    const { held = [] } = await locks().query();
    return held.flatMap(({ name }) => name ?? []);
  }

  async knownSites(): Promise<readonly string[]> {
    // Not in every private window.
    const names = 'caches' in globalThis ? await caches.keys() : [];
    return [...new Set(names.flatMap((name) => scopeOfRuntimeCache(name) ?? []))].sort();
  }

  storedImages(scope: string): Promise<readonly InspectedVersion[]> {
    return storedImages(scope);
  }

  async startLoader(scope: string): Promise<() => void> {
    const loader = new LoaderProcess({
      script: `${scope}__sluice/loader.js`,
      options: () => ({ scope, background: false, isInspector: true }),
    });
    try {
      await loader.started();
    } catch (error) {
      loader.end();
      throw error;
    }
    return () => {
      loader.close().catch((error: unknown) => {
        console.info('sluice: the loader of the inspector was ended before it had saved all', error);
      });
    };
  }
}

/** Not in pages that were not delivered securely. */
function locks(): LockManager {
  if (!('locks' in navigator))
    throw new SluiceError('unreadable', 'This page has no Web Locks: open it over https, or on localhost');
  return navigator.locks;
}
