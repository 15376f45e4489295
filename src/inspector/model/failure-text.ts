import { toWireError } from '../../format/errors.ts';
import { remedies } from '../../format/remedies.ts';

/** An error in one line for people: what happened, its code, and what to do about it. */
export function failureText(error: unknown): string {
  const { code, message } = toWireError(error);
  const end = /[.!?…]$/.test(message) ? '' : '.';
  return `${message}${end} (${code}) ${remedies[code]}`;
}

/** What can be done about a code of the log; undefined for one that this panel does not know. */
export function remedyOf(code: string): string | undefined {
  return (remedies as Readonly<Record<string, string>>)[code];
}
