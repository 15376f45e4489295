import { SluiceError } from '../format/errors.ts';
import { type Clock, systemClock } from './clock.ts';

/** Settles as `work` does, or rejects with `call-timeout` naming the call when `ms` have passed. */
export function withDeadline<T>(
  name: string,
  work: Promise<T>,
  ms: number,
  clock: Clock = systemClock,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () =>
      reject(new SluiceError('call-timeout', `${name} got no answer within ${Math.round(ms)} ms`)),
    );
    work.then(resolve, reject).finally(cancel);
  });
}
