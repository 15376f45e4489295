/** Whether these can be a response header: a token, and a line of ASCII. What the packer takes, a reader of the image does, no more. */
export function isHeader(name: string, text: string): boolean {
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(name) && isHeaderText(text);
}

/** Whether it can be a header's value, or a Content-Type. */
export function isHeaderText(text: string): boolean {
  return /^[\t -~]*$/.test(text);
}
