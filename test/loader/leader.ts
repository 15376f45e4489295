import { LocalService } from '../../src/loader/local-service.ts';
import type { LocalServiceOptions } from '../../src/loader/local-service-options.ts';
import { zstdInNode } from '../../src/pack/zstd-in-node.ts';
import { systemClock } from '../../src/protocol/clock.ts';
import { seededRandom } from '../support/random.ts';
import { LockManagerForTests } from './lock-manager.ts';
import type { Fixture } from './site-fixture.ts';

/** The leader's service of a tab called `tab`, alone in its browser. */
export function startLeader(
  options: Pick<LocalServiceOptions, 'directory' | 'scope'> & Partial<LocalServiceOptions>,
): Promise<LocalService> {
  return LocalService.start({
    fetch,
    loader: 'tab',
    locks: new LockManagerForTests().of('tab'),
    zstd: zstdInNode,
    estimate: async () => undefined,
    clock: systemClock,
    random: seededRandom(1),
    onEvent: () => {},
    onStore: () => {},
    end: () => {},
    ...options,
  });
}

/** A network that has the site's bootstrap and nothing else. */
export function bootstrapOnly({ bootstrap }: Fixture): typeof fetch {
  return async () => new Response(bootstrap, { headers: { 'Content-Length': `${bootstrap.length}` } });
}
