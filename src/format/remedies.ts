import type { ErrorCode } from './errors.ts';
import { launchRemedies } from './launch-remedies.ts';

/** What the reader of an error's message can do about it: for command lines, and for programs that mount or build images. */
export const remedies: Readonly<Record<ErrorCode, string>> = {
  ...launchRemedies,
  'corrupt-store': 'The local store is damaged; it is made anew from the network.',
  ENOENT: 'Check the path; upper and lower case count.',
  EISDIR: 'This is a directory; name a file.',
  ENOTDIR: 'Check the path: something in it is a file, not a directory.',
  EINVAL: 'Correct what the message names.',
  ERANGE: 'The index or range lies outside.',
  E2BIG: 'More data than the target holds.',
  EBUSY: 'It is in use. Try again when the other user is done.',
  ENOSPC: 'Free some space, or choose another place for the output.',
  EACCES: 'Permission denied. Check the owner and mode.',
  EEXIST: 'Choose a name that is not taken.',
  EMLINK: 'A directory has one name only. Make a directory of its own.',
  ENOTEMPTY: 'Remove what is in the directory first.',
  ENAMETOOLONG: 'Names have at most 255 bytes of UTF-8, paths 4096.',
  ENFILE: 'Too many files were made at run time. Remove some.',
  EFBIG: 'A file made at run time may not be so large. Use larger blocks, or several files.',
  EBADF: 'The handle was closed. Open the file again.',
  EADDRINUSE: 'Choose another port with --port, or end the other server.',
  'bad-name': 'Rename it, or keep it out of the app directory.',
  'bad-link': 'Replace the link by what it points to, or remove it.',
  'bad-file': 'Only files, directories and links to them can be packed. Remove it.',
  changed: 'Build again when nothing writes to the app directory.',
  'no-browser': 'Install Chrome, Chromium or Edge, or name one with --browser or CHROME_PATH.',
  'no-page': 'Check the URL, and that its server runs.',
  'not-ready': 'Say with --ready what tells that the app is ready, or allow more time with --timeout.',
  'no-runtime': 'Run `npm run build` first: it makes the files that go into every site.',
};
