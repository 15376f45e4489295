import { readRelease } from '../pack/site-reader.ts';
import { type Command, parse, UsageError, wholeNumber } from './command.ts';
import { interruption } from './interruption.ts';
import { startSiteServer } from './site-server.ts';

const help = `sluice serve <site-dir> [--port N] [--prefix /path/]

Serves a site on this machine (127.0.0.1), for trying it. Prints the URL alone on a line when it listens. Any static
web server does as well: nothing in a site needs a rule of its own.

  --port N        default 8080; 0 takes any that is free
  --prefix PATH   the path below which the site lies, as it may on your server; default /

Examples
  sluice serve site
  sluice serve site --port 0 --prefix /games/doom/
`;

export const serveCommand: Command = {
  summary: 'serve a site on this machine, for trying it',
  help,
  failureStatus: 1,
  async run(args) {
    const { values, argument } = parse(args, 'site directory', {
      port: { type: 'string' },
      prefix: { type: 'string' },
    });
    const port = wholeNumber(values.port ?? '8080', 'port', 0, 65_535);
    const prefix = checkedPrefix(values.prefix ?? '/');
    // Says what is wrong with a directory that is no site, before a browser does.
    readRelease(argument);
    const server = await startSiteServer({ directory: argument, port, prefix });
    process.stdout.write(`${server.url}\n`);
    await interruption();
    await server.close();
    return 0;
  },
};

/** With a slash at both ends. */
function checkedPrefix(prefix: string): string {
  const path = `/${prefix}/`.replaceAll(/\/+/g, '/');
  if (/[?#%\\\s]|\/\.\.?\//.test(path))
    throw new UsageError(`--prefix takes a plain path such as /games/doom/, not "${prefix}"`);
  return path;
}
