import { MessageChannel as NodeMessageChannel } from 'node:worker_threads';
import { expect, test } from '@playwright/test';
import { type Endpoint, expose, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/umd/node-adapter.js';
import { SluiceError } from '../../src/format/errors.ts';
import { carrySluiceErrors } from '../../src/protocol/comlink-errors.ts';

const adapt = nodeEndpoint as unknown as (port: object) => Endpoint;

test('code, path and message cross comlink; other errors and values stay as they were', async () => {
  carrySluiceErrors();
  const { port1, port2 } = new NodeMessageChannel();
  const api = {
    ours: (): number => {
      throw new SluiceError('integrity', 'spoilt', { path: 'a/b' });
    },
    theirs: async (): Promise<number> => {
      throw new TypeError('theirs');
    },
    odd: (): number => {
      throw { sluice: { code: 'no such code' } };
    },
    fine: () => 42,
  };
  expose(api, adapt(port1));
  const remote = wrap<typeof api>(adapt(port2));
  const error = await remote.ours().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(SluiceError);
  expect(error).toMatchObject({ code: 'integrity', path: 'a/b', message: 'spoilt' });
  const other = await remote.theirs().catch((reason: unknown) => reason);
  expect(other).not.toBeInstanceOf(SluiceError);
  expect(other).toMatchObject({ name: 'TypeError', message: 'theirs' });
  expect(await remote.odd().catch((reason: unknown) => reason)).toEqual({ sluice: { code: 'no such code' } });
  expect(await remote.fine()).toBe(42);
  port1.close();
  port2.close();
});
