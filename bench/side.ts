import type { TestApp } from '../test/apps/test-app.ts';
import { type LinkShape, ShapedLink } from './link.ts';
import { publish } from './publish.ts';
import { type ServerKind, type StaticServer, startServer } from './server.ts';
import { installPage } from './workbox/add-workbox.ts';

/**
 * Ways of publishing an app: its files as they are, from a plain server with gzip, or with brotli made in advance; the same with gzip and a Workbox
 * precache of everything before the launch; what `sluice build` makes of it, without a launch trace and with one.
 */
export const sideNames = ['gzip', 'brotli', 'workbox', 'sluice', 'sluice+trace'] as const;
export type SideName = (typeof sideNames)[number];

export function isSluice(name: SideName): boolean {
  return name.startsWith('sluice');
}

/** One way of publishing an app, on a server behind a link of its own. */
export class Side implements AsyncDisposable {
  readonly name: SideName;
  readonly app: TestApp;
  /** What is served. */
  readonly dir: string;
  readonly #shape: LinkShape;
  readonly #server: StaticServer;
  #link: ShapedLink;

  private constructor(
    name: SideName,
    app: TestApp,
    dir: string,
    shape: LinkShape,
    server: StaticServer,
    link: ShapedLink,
  ) {
    this.name = name;
    this.app = app;
    this.dir = dir;
    this.#shape = shape;
    this.#server = server;
    this.#link = link;
  }

  static async start(name: SideName, app: TestApp, shape: LinkShape, kind: ServerKind): Promise<Side> {
    const dir = await publish(app, name);
    const server = await startServer(kind, dir, name === 'brotli' ? 'brotli' : 'gzip');
    const link = await ShapedLink.start({ shape, targetPort: server.port });
    return new Side(name, app, dir, shape, server, link);
  }

  get link(): ShapedLink {
    return this.#link;
  }

  /** What a visitor opens the first time. */
  get firstUrl(): string {
    return this.name === 'workbox' ? `${this.link.url}/${installPage}?${this.app.entry}` : this.url;
  }

  /** What a visitor opens later. */
  get url(): string {
    return `${this.link.url}/${this.app.entry}`;
  }

  /** A new link with another port, for a new visitor. */
  async connect(): Promise<void> {
    await this.#link.stop();
    this.#link = await ShapedLink.start({ shape: this.#shape, targetPort: this.#server.port });
  }

  /** While `work` goes on, the link is no bottleneck. */
  async unshaped(work: () => Promise<void>): Promise<void> {
    await this.#link.reshape({ mbitPerSecond: Number.POSITIVE_INFINITY, rttMs: 0 });
    await work();
    await this.#link.reshape(this.#shape);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link.stop();
    await this.#server[Symbol.asyncDispose]();
  }
}
