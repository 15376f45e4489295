import { hasNginx, Nginx } from '../test/support/nginx.ts';
import { Origin } from '../test/support/origin.ts';

export const serverKinds = ['nginx', 'node'] as const;
export type ServerKind = (typeof serverKinds)[number];

export interface StaticServer extends AsyncDisposable {
  readonly port: number;
}

export function defaultServerKind(): ServerKind {
  return hasNginx() ? 'nginx' : 'node';
}

/**
 * A plain static server at its defaults, with gzip: ETag and Last-Modified, no Cache-Control. Both sides get the same kind; what
 * a site's blobs hold is compressed already and goes out as it is.
 */
export function startServer(kind: ServerKind, dir: string): Promise<StaticServer> {
  const options = { mounts: { '/': dir }, gzip: true };
  return kind === 'nginx' ? Nginx.start(options) : Origin.start(options);
}
