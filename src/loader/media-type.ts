import mime from 'mime/lite';

/** The Content-Type of a file that was made at run time without one, by its name; '' where the name says nothing. Texts are taken for UTF-8. */
export function mediaType(path: string): string {
  const type = mime.getType(path) ?? '';
  return type.startsWith('text/') ? `${type};charset=utf-8` : type;
}
