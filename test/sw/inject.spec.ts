import { expect, test } from '@playwright/test';
import { inject, injectionOffset } from '../../sw/inject.ts';

const encode = (text: string) => new TextEncoder().encode(text);

/** `|` marks where the script goes. */
const pages: readonly string[] = [
  '<!doctype html><html><head>|<title>t</title></head>',
  '<!DOCTYPE HTML>\n<HTML LANG="en">\n<HEAD>|\n<META charset=utf-8>',
  '<!doctype html><html><head class="a>b">|<title>',
  '<!doctype html><html data-x=\'>\' lang=en><head data-y="<head>">|<title>',
  '<!doctype html><html><head/>|<title>',
  '<!doctype html><html><head\n>|<title>',
  // No head: behind what there is.
  '<!doctype html><html>|<body>',
  '<!doctype html>|<title>t</title><head>',
  '<!doctype html>|<script>first()</script>',
  '<!doctype html>|\n<body><head>',
  '<html>|<script>',
  '|<title>t</title>',
  '|<script src="a.js"></script><head>',
  '|plain text <head>',
  '|',
  '|   ',
  // What begins like the tags is something else.
  '<!doctype html>|<header>not a head</header>',
  '<!doctype html><html>|<headline>',
  '<!doctype html>|<htmlx>',
  '<!doctype html>|</head><head>',
  // Comments may stand anywhere and may hold anything.
  '<!-- a --><!doctype html><!-- <head> --><html><!-- b --><head>|<title>',
  '<!doctype html><!--[if IE]><html class="ie"><![endif]--><html><head>|<title>',
  '<!doctype html><!--><head>|<title>',
  '<!doctype html><!---><head>|<title>',
  '<!doctype html><!-- a --!><head>|<title>',
  '<!doctype html>|<!-- without an end <head>',
  '|<!-- only a comment -->',
  '|<!-- a --><title>',
  '<?xml version="1.0"?><!doctype html><html><head>|<title>',
  '<!doctype html><!bogus><head>|<title>',
  '<!doctype html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"><html xmlns="http://www.w3.org/1999/xhtml"><head>|<title>',
  // Cut off in the middle of a tag.
  '<!doctype html>|<html lang="en',
  '<!doctype html><html>|<head data-x="',
  '|<!doctype html',
  // Byte order mark.
  '\ufeff<!doctype html><head>|<title>',
  '\ufeff|<title>',
  // Other bytes than ASCII before the head.
  '<!doctype html><!-- größe 漢字 --><html lang="ü"><head>|<title>',
];

for (const page of pages) {
  test(`into ${JSON.stringify(page)}`, () => {
    const at = page.indexOf('|');
    const bytes = encode(page.replace('|', ''));
    expect(injectionOffset(bytes)).toBe(encode(page.slice(0, at)).length);
    const script = encode('<script src="/x"></script>');
    expect(new TextDecoder('utf-8', { ignoreBOM: true }).decode(inject(bytes, script))).toBe(
      page.replace('|', '<script src="/x"></script>'),
    );
  });
}

test('UTF-16 is left alone', () => {
  const utf16 = (text: string, bom: boolean) =>
    Uint8Array.from(
      [...(bom ? '\ufeff' : ''), ...text].flatMap((c) => [c.charCodeAt(0) & 255, c.charCodeAt(0) >> 8]),
    );
  const swapped = (bytes: Uint8Array) => Uint8Array.from(bytes, (_, i) => bytes[i ^ 1]!);
  for (const bytes of [utf16('<head>', true), utf16('<head>', false)]) {
    expect(injectionOffset(bytes)).toBeUndefined();
    expect(injectionOffset(swapped(bytes))).toBeUndefined();
    expect(inject(bytes, encode('x'))).toBe(bytes);
  }
});

test('bytes that are no UTF-8 do not move the place', () => {
  const bytes = Uint8Array.of(...encode('<!--'), 0xe4, 0xff, 0x80, ...encode('--><head>'), 0xe4);
  expect(injectionOffset(bytes)).toBe(bytes.length - 1);
});

test('hostile pages take linear time', () => {
  const started = performance.now();
  for (const page of [
    `<html ${'a="b" '.repeat(10_000)}`,
    `<html ${"a='".repeat(20_000)}`,
    '<!--'.repeat(16_000),
    `<!doctype html>${'<!---->'.repeat(9_000)}`,
    ' '.repeat(64_000),
  ]) {
    injectionOffset(encode(page));
  }
  expect(performance.now() - started).toBeLessThan(2000);
});
