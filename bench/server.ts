import { hasNginx, Nginx } from '../test/support/nginx.ts';
import { Origin } from '../test/support/origin.ts';

export const serverKinds = ['nginx', 'node'] as const;
export type ServerKind = (typeof serverKinds)[number];

export interface StaticServer extends AsyncDisposable {
  readonly port: number;
}

/** `brotli`: made in advance, `file.br` beside each file. */
export type Compression = 'gzip' | 'brotli';

export function defaultServerKind(): ServerKind {
  return hasNginx() ? 'nginx' : 'node';
}

/**
 * A plain static server at its defaults: ETag and Last-Modified, no Cache-Control. All sides get the same kind; what a site's blobs hold is
 * compressed already and goes out as it is. Brotli wants nginx.
 */
export function startServer(kind: ServerKind, dir: string, compression: Compression): Promise<StaticServer> {
  const mounts = { '/': dir };
  if (compression === 'brotli') {
    if (kind !== 'nginx') throw new Error(`${kind} serves no brotli: install nginx, or leave that side out`);
    return Nginx.start({ mounts, brotli: true });
  }
  return kind === 'nginx' ? Nginx.start({ mounts, gzip: true }) : Origin.start({ mounts, gzip: true });
}
