import { SluiceError } from '../../format/errors.ts';

/** Puts a text on the clipboard; in frames that may not (as DevTools' panels) by the old way. Throws `EACCES`. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    return;
  } catch {
    // Not allowed here, or not there at all: the other way does not need a permission.
  }
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  if (!isCopied) throw new SluiceError('EACCES', 'The browser does not let this page write to the clipboard');
}
