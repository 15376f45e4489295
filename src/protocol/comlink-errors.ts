import { transferHandlers } from 'comlink';
import { errorStatus, fromWireError, SluiceError, toWireError, type WireError } from '../format/errors.ts';

/** comlink's own form of something thrown, as its `throw` transfer handler makes it. */
interface Thrown {
  readonly isError: boolean;
  readonly value: unknown;
}

/**
 * Lets a {@link SluiceError} keep its code and path over comlink, which by itself carries message, name and stack only.
 * Call once in every context that exposes or wraps (the loader worker and the page), before the first call.
 */
export function carrySluiceErrors(): void {
  const original = transferHandlers.get('throw');
  if (!original) throw new SluiceError('EINVAL', 'comlink has no handler for thrown values');
  transferHandlers.set('throw', {
    canHandle: (value): value is unknown => original.canHandle(value),
    serialize(value) {
      const thrown = (value as { value: unknown }).value;
      if (!(thrown instanceof SluiceError)) return original.serialize(value);
      const wire: Thrown = { isError: true, value: { sluice: toWireError(thrown) } };
      return [wire, []];
    },
    deserialize(wire) {
      const error = sluiceErrorIn(wire as Thrown);
      if (error) throw fromWireError(error);
      return original.deserialize(wire);
    },
  });
}

function sluiceErrorIn(thrown: Thrown): WireError | undefined {
  if (typeof thrown.value !== 'object' || thrown.value === null || !('sluice' in thrown.value))
    return undefined;
  const wire = thrown.value.sluice as WireError;
  return Object.hasOwn(errorStatus, wire.code) ? wire : undefined;
}
