import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/**
 * Below the ports that systems give to connections that go out (from 32768 on), of which thousands come and go while tests run: who stops listening on
 * one of these finds it free when it listens again.
 */
const ports = { first: 20_000, count: 12_000 };

/** No port comes twice in a process: to a browser that outlives a server the next one there would be the same site, with all that it has stored of it. */
const taken = new Set<number>();

/** Listens on a port of 127.0.0.1 on which nobody listens, and resolves to it. */
export async function listenOnFreePort(server: Server): Promise<number> {
  while (taken.size < ports.count) {
    const port = ports.first + Math.floor(Math.random() * ports.count);
    if (taken.has(port)) continue;
    taken.add(port);
    try {
      await listenOn(server, port);
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error(`all ${ports.count} ports have been used`);
}

/** Listens on this port of 127.0.0.1. */
export async function listenOn(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

/** A port of 127.0.0.1 on which nobody listens, for a process that cannot choose one by itself. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnFreePort(server);
  server.close();
  await once(server, 'close');
  return port;
}
