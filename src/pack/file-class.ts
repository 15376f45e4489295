import { extname } from 'node:path';

/** What the packer wants to know of a file, told by its name. */
export interface FileClass {
  /** `range`: readers ask for parts of it, so that its blocks should be small. */
  readonly access: 'whole' | 'range';
  /** Compressed by its own format: no codec is tried on it. */
  readonly compressed: boolean;
}

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

const ranged = words(`
  mp4 m4v m4a webm mkv mov mp3 ogg oga ogv opus flac wav aac
  pdf zip jar tar 7z rar
  sqlite sqlite3 db db3 gpkg mbtiles duckdb pmtiles
  iso img vhd vhdx vmdk qcow2 ext2
  tif tiff parquet arrow fgb nc h5 hdf5 copc laz
  pck pak wad vpk data bin gguf ggml onnx ort safetensors
`);

/**
 * Measured over the 8 MB of jpg, png and gif in a globe's package: zstd 9 takes 2.3 % off them, at the price of raw blocks,
 * which the service worker answers from disk without touching them.
 */
const compressed = words(`
  jpg jpeg png apng gif webp avif heic jxl woff woff2
  mp4 m4v m4a webm mkv mov mp3 ogg oga ogv opus flac aac weba
  zip jar whl apk epub docx xlsx pptx usdz 7z rar gz tgz bz2 xz br zst lz4 unityweb
`);

/** Names tell more than bytes here: an app's own server would go by them as well. */
export function fileClass(path: string): FileClass {
  const extension = extname(path).slice(1).toLowerCase();
  return { access: ranged.has(extension) ? 'range' : 'whole', compressed: compressed.has(extension) };
}
