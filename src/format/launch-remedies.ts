import type { ErrorCode } from './errors.ts';

/**
 * What to do about a launch, or a read of a launched app, that failed. Apart from the rest (remedies.ts), since every visitor downloads it
 * with the scripts of a site.
 */
export const launchRemedies = {
  'read-timeout': 'The bytes did not come in time. Try again, or raise readTimeoutMs for slow links.',
  offline: 'These bytes are not stored yet and the network is away. Try again online.',
  'bad-origin':
    'The server did not answer as a static host must. Check that the .bin files are deployed unchanged.',
  integrity: 'The server sent bytes that do not match their digest. Run `sluice fsck` on the deployed site.',
  'unsupported-image': 'The image was made by a newer sluicefs. Deploy its newer sw.js too.',
  'corrupt-image': 'The image is damaged. Build and deploy it again.',
  'no-wasm': "The page's policy forbids WebAssembly. Allow 'wasm-unsafe-eval', or build with --codec lz4.",
  'not-an-image': 'This file is no sluice image. Check the path or URL.',
  unreadable: 'The bytes could not be read. Check permissions and that the file exists.',
  'call-timeout': 'The other side did not answer in time. Try again.',
  disconnected: 'The other side went away. The call may be repeated.',
  closed: 'The mount was closed. Mount it again.',
  'no-service-worker':
    'Open the page over https (or on localhost) in a current browser, outside modes that forbid service workers.',
  'store-too-new': 'The local store was written by a newer sluicefs; it is left alone.',
} as const satisfies Partial<Record<ErrorCode, string>>;

/** For people who wait for an app. A code that no launch and no read ends with by itself is told as bytes that could not be read. */
export function launchRemedy(code: ErrorCode): string {
  return (launchRemedies as Partial<Record<ErrorCode, string>>)[code] ?? launchRemedies.unreadable;
}
