import { expect, test } from '@playwright/test';
import { servedPages } from '../../sw/served-pages.ts';

test('of the connected pages people are told path and visibility; not of one that is gone, nor of what is no page', async () => {
  const clients: Record<string, object> = {
    one: { url: 'https://u:p@site.example/app/a%20b.html?token=x#part', visibilityState: 'visible' },
    two: { url: 'https://site.example/app/', visibilityState: 'hidden' },
    worker: { url: 'https://site.example/app/worker.js' },
  };
  const get = async (id: string): Promise<Client | undefined> => clients[id] as Client | undefined;
  const connected = ['one', 'gone', 'worker', 'two'].map((client) => ({ client, loader: `of ${client}` }));
  expect(await servedPages({ get } as Pick<Clients, 'get'>, connected)).toEqual([
    { loader: 'of one', path: '/app/a%20b.html', isVisible: true },
    { loader: 'of two', path: '/app/', isVisible: false },
  ]);
});
