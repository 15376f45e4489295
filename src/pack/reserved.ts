/**
 * What is wrong with a name at the app's root, because the site has something of its own there; undefined for a free one. An app's own
 * `sw.js` and `index.html` are free as files: they are read from the image.
 */
export function reservedProblem(name: string, isDirectory: boolean): string | undefined {
  if (name === '__sluice' || name === 'sluice.json') return 'sluice keeps a file of that name beside the app';
  if (/^[0-9a-f]{64}\.bin$/.test(name)) return 'blobs of the image have such names';
  if (isDirectory && (name === 'index.html' || name === 'sw.js')) return 'the site has a file of that name';
  return undefined;
}
