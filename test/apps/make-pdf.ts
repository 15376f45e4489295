import { noise } from '../support/random.ts';

export interface PdfShape {
  readonly pages: number;
  /** Each page's grey image is this many pixels high and wide; one byte each, not compressed. */
  readonly imageSide: number;
}

/**
 * A deterministic PDF 1.4: on every page the line "This is page N" and a square of noise. All dictionaries and texts
 * come first and all images after them, so that a reader by range needs only the images that it shows.
 */
export function makePdf({ pages, imageSide }: PdfShape): Uint8Array {
  const parts: Uint8Array[] = [];
  const offsets: number[] = []; // By object number minus one.
  let length = 0;
  const add = (part: string | Uint8Array) => {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
    parts.push(bytes);
    length += bytes.length;
  };
  const object = (number: number, body: string, stream?: Uint8Array) => {
    offsets[number - 1] = length;
    add(`${number} 0 obj\n${body}\n`);
    if (stream) {
      add('stream\n');
      add(stream);
      add('\nendstream\n');
    }
    add('endobj\n');
  };
  const pageObject = (page: number) => 4 + 3 * page;
  const contentObject = (page: number) => 5 + 3 * page;
  const imageObject = (page: number) => 6 + 3 * page;

  add('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n');
  object(1, '<< /Type /Catalog /Pages 2 0 R >>');
  const kids = Array.from({ length: pages }, (_, page) => `${pageObject(page)} 0 R`);
  object(2, `<< /Type /Pages /Count ${pages} /Kids [${kids.join(' ')}] >>`);
  object(3, '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>');
  for (let page = 0; page < pages; page++) {
    object(
      pageObject(page),
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 400] /Contents ${contentObject(page)} 0 R ` +
        `/Resources << /Font << /F 3 0 R >> /XObject << /I ${imageObject(page)} 0 R >> >> >>`,
    );
    const drawing = `BT /F 18 Tf 40 360 Td (This is page ${page + 1}) Tj ET q 300 0 0 300 50 30 cm /I Do Q`;
    object(contentObject(page), `<< /Length ${drawing.length} >>`, Buffer.from(drawing, 'latin1'));
  }
  for (let page = 0; page < pages; page++) {
    const pixels = noise(page, imageSide * imageSide);
    object(
      imageObject(page),
      `<< /Type /XObject /Subtype /Image /Width ${imageSide} /Height ${imageSide} /ColorSpace /DeviceGray ` +
        `/BitsPerComponent 8 /Length ${pixels.length} >>`,
      pixels,
    );
  }
  const startOfTable = length;
  add(`xref\n0 ${offsets.length + 1}\n0000000000 65535 f \n`);
  for (const offset of offsets) add(`${String(offset).padStart(10, '0')} 00000 n \n`);
  add(`trailer\n<< /Size ${offsets.length + 1} /Root 1 0 R >>\nstartxref\n${startOfTable}\n%%EOF\n`);
  return Buffer.concat(parts);
}
