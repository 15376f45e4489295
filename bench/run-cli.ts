import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../dist/node/cli.js', import.meta.url));

/** `sluice …`, as users have it. Throws with its words when it fails. */
export async function runCli(args: readonly string[]): Promise<void> {
  const running = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  running.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text;
  });
  const [status] = await once(running, 'close');
  if (status !== 0) throw new Error(`sluice ${args.join(' ')} failed:\n${words}`);
}
