import { readFileSync } from 'node:fs';
import { SluiceError } from '../format/errors.ts';
import { remedies } from '../format/remedies.ts';
import { buildCommand } from './build-command.ts';
import { type Command, UsageError } from './command.ts';
import { extractCommand } from './extract-command.ts';
import { fsckCommand } from './fsck-command.ts';
import { inspectCommand } from './inspect-command.ts';
import { Interrupted } from './interruption.ts';
import { recordCommand } from './record-command.ts';
import { serveCommand } from './serve-command.ts';

const commands: Readonly<Record<string, Command>> = {
  build: buildCommand,
  serve: serveCommand,
  inspect: inspectCommand,
  fsck: fsckCommand,
  extract: extractCommand,
  record: recordCommand,
};

const help = `Sluice packs a web app so that it launches while it is still arriving, and later runs offline.

  sluice <command> …

${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(9)}${summary}`)
  .join('\n')}

  sluice <command> --help tells more, with examples; sluice --version, which one this is. A first try:

    sluice build dist --out site
    sluice serve site

Exit status: 0 done, 1 failed, 2 wrong usage; fsck: 0 clean, 1 problems, 2 unreadable.
`;

/** Runs the command line without the program's name; gives the exit status. Results go to stdout, everything else to stderr. */
export async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    (name === undefined ? process.stderr : process.stdout).write(help);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    process.stdout.write(`${packageVersion()}\n`);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    process.stderr.write(
      `sluice: there is no command "${name}"\n  Commands: ${Object.keys(commands).join(', ')}. See sluice --help.\n`,
    );
    return 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help);
    return 0;
  }
  try {
    return await command.run(rest);
  } catch (error) {
    return report(error, name, command);
  }
}

/** Sources and bundle lie equally deep in the package. */
function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return version;
}

function report(error: unknown, name: string, command: Command): number {
  if (error instanceof UsageError) {
    process.stderr.write(`sluice: ${error.message}\n  See sluice ${name} --help.\n`);
    return 2;
  }
  if (error instanceof Interrupted) {
    process.stderr.write('sluice: interrupted; nothing was left behind\n');
    return error.exitStatus;
  }
  if (error instanceof SluiceError) {
    process.stderr.write(`sluice: ${error.message} (${error.code})\n  ${remedies[error.code]}\n`);
    return command.failureStatus;
  }
  // A fault of ours: the stack is what a bug report needs.
  process.stderr.write(
    `sluice: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return command.failureStatus;
}
