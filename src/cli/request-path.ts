/**
 * The names that a request target asks for, decoded: `/a/b%20c/` gives `a`, `b c`, ``. Undefined for a target that names nothing below a directory: bad
 * escapes, `.` and `..`, empty names, and names with a slash, backslash or NUL in them, which a file system could take for more than a name.
 */
export function requestPath(target: string): readonly string[] | undefined {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  if (!path.startsWith('/')) return undefined;
  const names: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [i, segment] of segments.entries()) {
    let name: string;
    try {
      name = decodeURIComponent(segment);
    } catch {
      // A bad escape is the one reason to throw.
      return undefined;
    }
    if (name === '.' || name === '..' || /[/\\\0]/.test(name)) return undefined;
    if (name === '' && i < segments.length - 1) return undefined;
    names.push(name);
  }
  return names;
}
