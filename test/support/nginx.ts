import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findNginx } from '../../scripts/find-browsers.mjs';
import { freePort } from './free-port.ts';
import { tempDir } from './temp-dir.ts';

const TYPES = `
  text/html html htm; text/css css; text/javascript js mjs; text/plain txt; text/xml xml;
  application/json json map; application/wasm wasm; application/pdf pdf; application/zip zip;
  image/svg+xml svg; image/png png; image/jpeg jpg jpeg; image/webp webp; image/gif gif; image/x-icon ico;
  font/ttf ttf; font/woff woff; font/woff2 woff2; audio/wav wav; audio/ogg ogg; video/webm webm; video/mp4 mp4;`;

const GZIP = `gzip on; gzip_comp_level 6; gzip_min_length 256; gzip_vary on;
    gzip_types text/css text/javascript text/plain text/xml application/json application/wasm image/svg+xml;`;

/** What `brotli` serves from files made in advance: the same types that `gzip` compresses. */
const PRECOMPRESSED: Readonly<Record<string, readonly string[]>> = {
  'text/html': ['html', 'htm'],
  'text/css': ['css'],
  'text/javascript': ['js', 'mjs'],
  'text/plain': ['txt'],
  'text/xml': ['xml'],
  'application/json': ['json', 'map'],
  'application/wasm': ['wasm'],
  'image/svg+xml': ['svg'],
};

export interface NginxOptions {
  /** Directories by URL prefix, each prefix beginning and ending with a slash. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Compress text-like types and wasm at level 6. .bin is never compressed. */
  readonly gzip?: boolean;
  /**
   * Answer who takes brotli with `file.br`, which must be there beside each {@link isPrecompressed} file, and compress nothing on the way. By
   * configuration only: nginx has no brotli of its own. Takes one mount, `/`.
   */
  readonly brotli?: boolean;
}

/** Whether a server with `brotli` wants a `.br` beside this file. */
export function isPrecompressed(path: string): boolean {
  return Object.values(PRECOMPRESSED).some((endings) =>
    endings.some((ending) => path.endsWith(`.${ending}`)),
  );
}

/** Whether there is an nginx to start; tests that need one skip without it, saying so. */
export function hasNginx(): boolean {
  return findNginx() !== undefined;
}

/** A real nginx, in the foreground of a child process, on a free port of 127.0.0.1. */
export class Nginx {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #removeDir: () => Promise<void>;

  private constructor(port: number, child: ChildProcess, removeDir: () => Promise<void>) {
    this.port = port;
    this.#child = child;
    this.#removeDir = removeDir;
  }

  static async start(options: NginxOptions): Promise<Nginx> {
    const executable = findNginx();
    if (!executable) throw new Error('no nginx: install it (Debian: apt-get install nginx-light)');
    const dir = await tempDir('nginx');
    await mkdir(join(dir.path, 'temp'));
    const port = await freePort();
    const config = join(dir.path, 'nginx.conf');
    await writeFile(config, configuration(options, dir.path, port));

    // -e: without it nginx first opens the log it was compiled for, which only root may.
    const args = ['-p', dir.path, '-e', 'stderr', '-c', config];
    const child = spawn(executable, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    const deadline = performance.now() + 60_000;
    while (!(await accepts(port))) {
      if (child.exitCode !== null || performance.now() > deadline) {
        child.kill('SIGKILL');
        await dir.remove();
        throw new Error(`nginx did not start: ${complaints}`);
      }
      await sleep(20);
    }
    return new Nginx(port, child, dir.remove);
  }

  /** `http://127.0.0.1:port`, without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    await this.#removeDir();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function configuration(options: NginxOptions, dir: string, port: number): string {
  const { mounts, gzip = false, brotli = false } = options;
  if (brotli && (gzip || Object.keys(mounts).join() !== '/')) {
    throw new Error('brotli takes one mount, /, and no gzip beside it');
  }
  const locations = Object.entries(mounts).map(([prefix, target]) => {
    if (/["$\\]/.test(prefix + target)) throw new Error(`nginx cannot quote ${prefix} or ${target}`);
    const served = `location "${prefix}" { alias "${target}/"; index index.html; }`;
    if (prefix === '/') return served;
    return `location = "${prefix.slice(0, -1)}" { return 301 "${prefix}$is_args$args"; } ${served}`;
  });
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path "${dir}/temp/${name}";`,
  );
  // One process, so that killing the child kills all of nginx, and it reads what we may read.
  return `
daemon off; master_process off; pid "${dir}/nginx.pid"; error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off; sendfile on; tcp_nodelay on; keepalive_timeout 60s; absolute_redirect off;
  ${temp.join(' ')}
  default_type application/octet-stream;
  types {${TYPES}
  }
  ${brotli ? BROTLI_MAPS : ''}
  server {
    listen 127.0.0.1:${port};
    ${gzip ? GZIP : 'gzip off;'}
    ${(brotli ? brotliLocations(mounts['/']!) : locations).join('\n    ')}
  }
}
`;
}

/** `add_header` leaves out a header whose value is empty. */
const BROTLI_MAPS = `
  map $http_accept_encoding $encoding { default ""; "~\\bbr\\b" "br"; }
  map $http_accept_encoding $ending { default ""; "~\\bbr\\b" ".br"; }`;

function brotliLocations(target: string): string[] {
  if (/["$\\]/.test(target)) throw new Error(`nginx cannot quote ${target}`);
  // The type is looked up by the ending of the file that is sent, which is .br.
  const types = Object.entries(PRECOMPRESSED).map(
    ([type, endings]) => `location ~ "\\.(${endings.join('|')})$" {
      types {} default_type ${type}; add_header Content-Encoding $encoding; add_header Vary Accept-Encoding;
      try_files $uri$ending =404;
    }`,
  );
  return [`root "${target}"; index index.html;`, ...types];
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
