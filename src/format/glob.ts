/**
 * `*` matches within a name, `?` one character of it, `**` any number of directories; all else is itself. A pattern without a slash matches names in
 * every directory, a leading slash ties it to the root.
 */
export function globToRegExp(glob: string): RegExp {
  const tied = glob.includes('/');
  const text = glob.replace(/^\//, '').replaceAll(/\*\*\/?|[*?]|[\\^$.|+()[\]{}]/g, (token) => {
    if (token === '**/') return '(?:.*/)?';
    if (token === '**') return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    return `\\${token}`;
  });
  return new RegExp(`^${tied ? '' : '(?:.*/)?'}${text}$`, 'su');
}
