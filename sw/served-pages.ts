import type { ServedPage } from '../src/protocol/messages.ts';
import type { ConnectedClient } from './loader-ports.ts';

/** What people see of the pages whose loaders are connected; those that have gone meanwhile are left out. */
export async function servedPages(
  clients: Pick<Clients, 'get'>,
  connected: readonly ConnectedClient[],
): Promise<ServedPage[]> {
  const pages = await Promise.all(
    connected.map(async ({ client: id, loader }): Promise<ServedPage[]> => {
      const client = await clients.get(id);
      if (!(client && 'visibilityState' in client)) return [];
      const { url, visibilityState } = client as WindowClient;
      return [{ loader, path: new URL(url).pathname, isVisible: visibilityState === 'visible' }];
    }),
  );
  return pages.flat();
}
