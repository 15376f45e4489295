import { expect, test } from '@playwright/test';
import { readerOf } from '../../sw/reader-of.ts';

const scope = 'https://example.org/app/';
/** The one last used first. */
const windows = [
  { id: 'frame', url: `${scope}frame.html`, frameType: 'nested' },
  { id: 'new', url: `${scope}new.html#part`, frameType: 'top-level' },
  { id: 'old', url: `${scope}?old`, frameType: 'top-level' },
] as const;

function reader(
  mode: RequestMode,
  destination: RequestDestination,
  clientId: string,
  referrer = '',
  asking?: string,
): string {
  const surroundings = { asking: asking === undefined ? undefined : { url: asking }, windows };
  return readerOf({ clientId, request: { mode, destination, referrer } }, scope, surroundings);
}

test('a page of its own is a new reader, whoever opened it', () => {
  expect(reader('navigate', 'document', '')).toBe('');
  expect(reader('navigate', 'document', 'old', `${scope}?old`)).toBe('');
});

test('everything that is no page is read by its client', () => {
  expect(reader('cors', '', 'old')).toBe('old');
  expect(reader('same-origin', 'worker', 'old')).toBe('old');
  expect(reader('no-cors', 'image', '')).toBe('');
  expect(reader('no-cors', 'image', 'frame', '', `${scope}frame.html`)).toBe('frame');
});

test('a frame belongs to the page around it', () => {
  expect(reader('navigate', 'iframe', 'frame', `${scope}frame.html`)).toBe('frame');
  expect(reader('navigate', 'iframe', '', `${scope}?old`)).toBe('old');
  expect(reader('navigate', 'iframe', '', `${scope}new.html`)).toBe('new');
  expect(reader('navigate', 'object', '', `${scope}?old`)).toBe('old');
  // That page has changed its address since: the tab last used.
  expect(reader('navigate', 'iframe', '', `${scope}pushed`)).toBe('new');
});

test('a frame of another site, or of one that does not say, is a new reader', () => {
  expect(reader('navigate', 'iframe', '', 'https://other.example/')).toBe('');
  expect(reader('navigate', 'iframe', '')).toBe('');
});

test('what has no address of its own belongs to the tab that made it', () => {
  expect(reader('cors', '', 'x', `${scope}?old`, 'about:srcdoc')).toBe('old');
  expect(reader('cors', '', 'x', '', 'blob:https://example.org/1')).toBe('new');
});
