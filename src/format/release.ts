import { SluiceError } from './errors.ts';
import { isSha256Hex } from './sha256.ts';
import { superblockLayout } from './superblock.ts';

/** What `sluice.json` says: the current bootstrap. */
export interface Release {
  /** SHA-256 of the bootstrap, hex: its file is `<image>.bin`. */
  readonly image: string;
  /** Length of the bootstrap's file. */
  readonly bytes: number;
}

const releaseVersion = 1;

/** A superblock, and a body whose length has 32 bits. */
export const maxBootstrapBytes = superblockLayout.size + 2 ** 32 - 1;

/** The text of `sluice.json`: one line. */
export function formatRelease(release: Release): string {
  return `${JSON.stringify({ sluice: releaseVersion, bootstrap: { sha256: release.image, bytes: release.bytes } })}\n`;
}

/**
 * Reads the text of `sluice.json`; fields that it does not know are ignored. Throws `not-an-image` for other text (a captive
 * portal's HTML, another JSON), `unsupported-image` for a newer version, `corrupt-image` for a release without a good digest and length.
 */
export function parseRelease(text: string): Release {
  const release = parseObject(text);
  const version = release?.sluice;
  if (release === undefined || typeof version !== 'number') {
    throw new SluiceError('not-an-image', 'sluice.json is not a release pointer');
  }
  if (version !== releaseVersion) {
    throw new SluiceError(
      'unsupported-image',
      `sluice.json has version ${version}; this reader knows version ${releaseVersion}`,
    );
  }
  const bootstrap = asObject(release.bootstrap);
  const image = bootstrap?.sha256;
  const bytes = bootstrap?.bytes;
  if (typeof image !== 'string' || !isSha256Hex(image)) {
    throw new SluiceError('corrupt-image', 'sluice.json names no bootstrap by its SHA-256 in lower-case hex');
  }
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes <= 0 || bytes > maxBootstrapBytes) {
    throw new SluiceError('corrupt-image', 'sluice.json does not tell a length that a bootstrap can have');
  }
  return { image, bytes };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    // JSON.parse has one reason to throw; the caller turns it into its error.
    return undefined;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
