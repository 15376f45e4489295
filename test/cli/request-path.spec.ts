import { expect, test } from '@playwright/test';
import { requestPath } from '../../src/cli/request-path.ts';

const cases: [target: string, names: string[] | undefined][] = [
  ['/', ['']],
  ['/a', ['a']],
  ['/a/', ['a', '']],
  ['/a/b.html?x=/../y#z', ['a', 'b.html']],
  ['/a%20b/%C3%A9%25', ['a b', 'é%']],
  ['/a+b', ['a+b']],
  ['/...', ['...']],
  ['http://host:80/a/b', ['a', 'b']],
  ['', undefined],
  ['a', undefined],
  ['*', undefined],
  ['//a', undefined],
  ['/a//b', undefined],
  ['/..', undefined],
  ['/a/../b', undefined],
  ['/./a', undefined],
  ['/%2e%2e/a', undefined],
  ['/%2E./a', undefined],
  ['/a%2fb', undefined],
  ['/..%2f..%2fetc%2fpasswd', undefined],
  ['/a%5cb', undefined],
  ['/a\\b', undefined],
  ['/a%00.html', undefined],
  ['/%', undefined],
  ['/%ff', undefined],
];

for (const [target, names] of cases) {
  test(JSON.stringify(target), () => {
    expect(requestPath(target)).toEqual(names);
  });
}
