import { codeCacheName } from '../protocol/code-copies.ts';
import { scopeOfRuntimeCache } from '../protocol/messages.ts';

/**
 * Keeps the caches of this site from an app that deletes all that its origin has, as many do at each start to be rid of a service worker of their past: no
 * launch would find its scripts offline. As where there is no such cache, `delete` resolves to false.
 */
export function guardCaches(scope: string): void {
  const { prototype } = CacheStorage;
  const remove = prototype.delete;
  prototype.delete = function (this: CacheStorage, name) {
    if (name !== codeCacheName(scope) && scopeOfRuntimeCache(String(name)) !== scope)
      return remove.call(this, name);
    console.warn(`Sluice keeps what launches ${scope} offline in "${name}", which stays.`);
    return Promise.resolve(false);
  };
}
