/** The headers of a request that make it conditional; null = absent. */
export interface Conditions {
  readonly ifNoneMatch: string | null;
  readonly ifRange: string | null;
}

/**
 * Whether `If-Match` says that the client wants another representation than ours (RFC 9110 13.1.1: strong comparison, `*` = any): a download that goes on must
 * not go on in another version. If-Unmodified-Since plays no part, for want of a date.
 */
export function isOfAnother(ifMatch: string | null, etag: string): boolean {
  if (ifMatch === null || ifMatch.trim() === '*') return false;
  return etag.startsWith('W/') || !listedTags(ifMatch).includes(etag);
}

/**
 * Whether `If-None-Match` says that the client's copy is good (RFC 9110 13.1.2: weak comparison, `*` = any
 * representation). If-Modified-Since plays no part: our answers carry no Last-Modified, and the tag is exact.
 */
export function isNotModified({ ifNoneMatch }: Conditions, etag: string): boolean {
  if (ifNoneMatch === null) return false;
  if (ifNoneMatch.trim() === '*') return true;
  return listedTags(ifNoneMatch).some((tag) => opaque(tag) === opaque(etag));
}

/**
 * Whether a Range header counts (RFC 9110 13.1.5): without `If-Range` it does; with one only if it is our tag by strong
 * comparison. A date never matches, since nothing of ours has one.
 */
export function rangeCounts({ ifRange }: Conditions, etag: string): boolean {
  return ifRange === null || (ifRange.trim() === etag && !etag.startsWith('W/'));
}

/** A tag may contain commas, so the list is scanned, not split. */
function listedTags(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

function opaque(tag: string): string {
  return tag.replace(/^W\//, '');
}
