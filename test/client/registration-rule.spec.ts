import { expect, test } from '@playwright/test';
import { resolveRegistration, takesOver } from '../../src/client/registration-rule.ts';

const ours = 'https://a/games/doom/';
const page = 'https://a/games/doom/levels/e1m1.html';

const cases: [script: string, scope: string | undefined, refused: boolean, why: string][] = [
  ['../sw.js', '/games/doom/', true, 'an app’s own worker by the name that ours has on the server'],
  ['../other.js', '/games/doom/', true, 'another worker with our scope'],
  ['../sw.js', '/games/doom/levels/', true, 'our script for a part of our scope'],
  ['worker.js', undefined, true, 'the default scope is the directory of the script, inside ours'],
  ['../worker.js', undefined, true, 'the default scope is ours'],
  ['/games/sw.js', undefined, false, 'a scope around ours: ours is longer and wins'],
  ['/games/sw.js', '/games/quake/', false, 'beside ours'],
  ['/games/sw.js', '/games/doom', false, 'not inside: a scope is a prefix, and this one is around ours'],
  ['/games/sw.js', '/games/doom-2/', false, 'a sibling whose name begins like ours'],
  ['../other.js', '/games/doom/#x', true, 'a fragment is dropped'],
  ['../other.js', '/games/doom/?x', true, 'a query is a part of a scope, inside ours'],
];
for (const [script, scope, refused, why] of cases) {
  test(`${refused ? 'refused' : 'allowed'}: ${why}`, () => {
    expect(takesOver(resolveRegistration(script, scope, page), ours)).toBe(refused);
  });
}
