import type { TestApp } from '../test/apps/test-app.ts';
import { type LinkShape, ShapedLink } from './link.ts';
import { publish } from './publish.ts';
import { type ServerKind, type StaticServer, startServer } from './server.ts';

export const sideNames = ['plain', 'sluice'] as const;
export type SideName = (typeof sideNames)[number];

/** One way of publishing an app, behind a link of its own: the app's files as they are, or the site that `sluice build` makes. */
export class Side {
  readonly name: SideName;
  readonly app: TestApp;
  readonly link: ShapedLink;
  readonly #server: StaticServer;

  private constructor(name: SideName, app: TestApp, link: ShapedLink, server: StaticServer) {
    this.name = name;
    this.app = app;
    this.link = link;
    this.#server = server;
  }

  static async start(name: SideName, app: TestApp, shape: LinkShape, kind: ServerKind): Promise<Side> {
    const server = await startServer(kind, await publish(app, name));
    const link = await ShapedLink.start({ shape, targetPort: server.port });
    return new Side(name, app, link, server);
  }

  /** What a visitor opens. */
  get url(): string {
    return `${this.link.url}/${this.app.entry}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link.stop();
    await this.#server[Symbol.asyncDispose]();
  }
}
