/** What a query begins with in a URL, or in a path with one, up to its end. */
const query = /\?[^\s"'<>()`]+/g;
const fragment = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s"'<>#]*)#[^\s"'<>]*/gi;
const credentials = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"'<>]+@/gi;
/** Content in a URL. */
const dataUrl = /\bdata:[^\s"'<>]*/gi;

/** A text without what may be private in URLs: queries, fragments, names and passwords, and data. */
export function withoutSecrets(text: string): string {
  return text
    .replace(dataUrl, 'data:…')
    .replace(query, '')
    .replace(fragment, '$1')
    .replace(credentials, '$1');
}

/** The same of every text in a value of plain data. */
export function withoutSecretsIn(value: unknown): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (Array.isArray(value)) return value.map(withoutSecretsIn);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutSecretsIn(part)]));
}
