import mime from 'mime';

/** What the registry does not know, or says in a way that browsers do not act upon. */
const types: Readonly<Record<string, string>> = {
  cjs: 'text/javascript',
  glsl: 'text/plain',
  vert: 'text/plain',
  frag: 'text/plain',
  topojson: 'application/json',
  jsonl: 'application/jsonl',
  ndjson: 'application/x-ndjson',
  czml: 'application/json',
  py: 'text/x-python',
  flac: 'audio/flac',
  unityweb: 'application/octet-stream',
  pbf: 'application/x-protobuf',
  sqlite: 'application/vnd.sqlite3',
  sqlite3: 'application/vnd.sqlite3',
  parquet: 'application/vnd.apache.parquet',
  pmtiles: 'application/vnd.pmtiles',
  basis: 'image/x-basis',
  whl: 'application/zip',
};

/** The Content-Type of a path by its extension, without parameters; unknown ones are `application/octet-stream`. */
export function mediaType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  // A name that only begins with a dot has no extension.
  if (dot <= 0) return 'application/octet-stream';
  const extension = name.slice(dot + 1).toLowerCase();
  return types[extension] ?? mime.getType(extension) ?? 'application/octet-stream';
}

/** Whether the type wants a charset once the bytes are known to be UTF-8. */
export function isTextType(type: string): boolean {
  return type.startsWith('text/');
}
