/**
 * A worker's commands, called by name over the port that comes with the message. The same for dedicated workers and
 * service workers. Errors travel as text.
 */
export type Commands = Readonly<Record<string, (...args: never[]) => Promise<unknown>>>;

export interface Call {
  readonly command: string;
  readonly args: readonly unknown[];
}

export type Answer = { readonly value: unknown } | { readonly error: string };

export function serve(commands: Commands): void {
  addEventListener('message', (event: MessageEvent<Call>) => {
    const { command, args } = event.data;
    const answer = (message: Answer): void => event.ports[0]!.postMessage(message);
    const run = commands[command] as ((...args: readonly unknown[]) => Promise<unknown>) | undefined;
    if (run === undefined) return answer({ error: `no command ${command}` });
    run(...args).then(
      (value) => answer({ value }),
      (error: unknown) =>
        // Firefox's stack is without the message.
        answer({ error: error instanceof Error ? `${error}\n${error.stack ?? ''}` : String(error) }),
    );
  });
}
