import { SluiceError } from '../format/errors.ts';

/**
 * Closes `channel` with `disconnected` once the Web Lock `name` is granted to us: whoever held it has died, which a port does not tell in every
 * browser. Also where it cannot be watched. Until `signal`.
 */
export function watchLock(
  locks: Pick<LockManager, 'request'>,
  name: string,
  channel: { close(reason: SluiceError): void },
  signal: AbortSignal,
): void {
  const died = (): void => channel.close(new SluiceError('disconnected', 'The other side died'));
  locks.request(name, { mode: 'shared', signal }, died).catch((cause: unknown) => {
    if (!signal.aborted)
      channel.close(new SluiceError('disconnected', 'The other side cannot be watched', { cause }));
  });
}
