import { requestPath } from '../../../../src/cli/request-path.ts';
import { decodePath } from '../../../../sw/route.ts';
import { fuzzTarget, must } from '../fuzz-target.ts';

const words = [
  '/',
  '..',
  '.',
  '%2e',
  '%2f',
  '%5c',
  '\\',
  '%00',
  '\0',
  '%',
  '%25',
  '%c0%af',
  'a',
  '?',
  '#',
  'http://h',
  '//',
];

/** Paths of requests, as the service worker and `sluice serve` take them apart: no name leads anywhere but into its directory. */
export const paths = fuzzTarget<string>({
  name: 'paths',
  maxArrayBytes: 64 * 1024,
  seeds: async () => ['/a/b%20c/d.html?q#f', '/', '/../x', '/%2e%2e/%2fetc', 'http://h/a', '/a//b'],
  mutate: (text, mutator) => mutator.text(text, words),
  run(target) {
    const names = [
      ...(requestPath(target) ?? []),
      ...(decodePath(target.replace(/^\//, ''))?.split('/') ?? []),
    ];
    for (const name of names) {
      must(name !== '..' && name !== '.' && !/[/\\\0]/.test(name), () => `"${name}" is a name`);
    }
    return `${requestPath(target)?.length} ${names.length}`;
  },
  show: (text) => JSON.stringify(text),
});
