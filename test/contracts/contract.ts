import type { Directory } from '../../src/store/directory.ts';

/**
 * A contract is a list of named cases that run the same wherever there is a `Directory`: in Node, and in a worker of a
 * browser, where there is no test runner. So a case throws when it fails, and that is all.
 */
export interface ContractCase {
  readonly name: string;
  /** `directory` is new and empty. */
  run(directory: Directory): Promise<void>;
}

export function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not true: ${what}`);
}

/** Same by structure: numbers, strings, arrays, bytes, plain objects. */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (actual instanceof Uint8Array && expected instanceof Uint8Array && equalBytes(actual, expected)) return;
  const [a, b] = [show(actual), show(expected)];
  if (a !== b) throw new Error(`${what}: expected ${clip(b)}, got ${clip(a)}`);
}

/** `action` throws, or rejects, with an error of this code. */
export async function fails(code: string, what: string, action: () => unknown): Promise<void> {
  let outcome = 'no error';
  try {
    await action();
  } catch (error) {
    outcome = String((error as { code?: unknown }).code ?? error);
  }
  same(outcome, code, what);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function show(value: unknown): string {
  return (
    JSON.stringify(value, (_, part: unknown) =>
      ArrayBuffer.isView(part) ? [...(part as Uint8Array)] : part,
    ) ?? '-'
  );
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}… (${text.length} characters)` : text;
}
