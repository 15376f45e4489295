/** The browser reads what is downloaded after the click was handled; it has so long to begin with that. */
const beginMs = 60_000;

/** Offers the bytes as a download. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), beginMs);
}
