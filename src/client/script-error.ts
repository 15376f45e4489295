import { SluiceError } from '../format/errors.ts';

/**
 * Why the script at `url` could not be started: the browser's own words say little, and are the same for a server that is away and one that
 * answers 404. Asks the server once more. `otherwise` is what to say when the script itself is there.
 */
export async function scriptError(url: string, otherwise: SluiceError): Promise<SluiceError> {
  const name = new URL(url).pathname;
  let response: Response;
  try {
    response = await fetch(url, { cache: 'no-store', signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
  } catch {
    return new SluiceError('offline', 'The server cannot be reached', { cause: otherwise });
  }
  if (!response.ok)
    return new SluiceError('bad-origin', `The server answered ${response.status} for ${name}`, {
      cause: otherwise,
    });
  const type = response.headers.get('Content-Type') ?? 'no type at all';
  if (!/javascript/.test(type))
    return new SluiceError('bad-origin', `The server sent ${name} as ${type}`, { cause: otherwise });
  return otherwise;
}
