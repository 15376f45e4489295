import { utf8Encode } from '../../../../src/format/utf8.ts';
import { inject, injectionOffset } from '../../../../sw/inject.ts';
import { fuzzTarget, must, shown } from '../fuzz-target.ts';

const script = utf8Encode('<script src="/c.js"></script>');
const words = [
  '<',
  '>',
  '<!--',
  '-->',
  '--!>',
  '<!',
  '<?',
  '<!doctype html>',
  '<html ',
  '<head',
  '"',
  "'",
  ' ',
  '\n',
  'a=',
  '<!-->',
];
const pages = [
  '<!doctype html><html lang="a"><head><title>x</title>',
  '<!-- a --><!DOCTYPE html ">"><!-- b --!><html x=\'>\'>\n<head a>',
  '\u{feff}<?xml?><head>',
  'text',
];

/** The beginning of a page, into which the client script is put. */
export const html = fuzzTarget<Uint8Array<ArrayBuffer>>({
  name: 'HTML',
  maxArrayBytes: 256 * 1024,
  seeds: async () => pages.map(utf8Encode),
  mutate(page, mutator) {
    if (mutator.random() < 0.3) return mutator.bytes(page);
    return utf8Encode(mutator.text(new TextDecoder().decode(page), words));
  },
  run(page) {
    const offset = injectionOffset(page);
    if (offset === undefined) return 'none';
    must(offset >= 0 && offset <= page.length, () => `${offset} is in the page`);
    const injected = inject(page, script);
    const same = page.every((byte, i) => injected[i < offset ? i : i + script.length] === byte);
    must(same && injected.length === page.length + script.length, () => 'nothing else is changed');
    return `${Math.min(offset, 60)}`;
  },
  show: shown,
});
