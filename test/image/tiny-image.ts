import { deflateSync } from 'fflate';
import type { BlobRecord } from '../../src/format/blob-record.ts';
import { encodeBlockTable } from '../../src/format/block-table.ts';
import { codecId } from '../../src/format/codec-id.ts';
import { hex, sha256 } from '../../src/format/sha256.ts';
import { utf8Encode } from '../../src/format/utf8.ts';
import { type BootstrapModel, encodeBootstrap } from '../../src/image/encode-bootstrap.ts';

export function deflate(body: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return deflateSync(body, { level: 9, mem: 8 }) as Uint8Array<ArrayBuffer>;
}

/** The smallest image that uses every kind of record: three files in one blob of two raw blocks. */
export async function tinyImage(): Promise<{
  readonly model: BootstrapModel;
  readonly bootstrap: Uint8Array<ArrayBuffer>;
  readonly record: BlobRecord;
  readonly table: Uint8Array<ArrayBuffer>;
  readonly blob: Uint8Array<ArrayBuffer>;
}> {
  const html = utf8Encode('<!doctype html><title>tiny</title>');
  const script = utf8Encode('console.log("tiny")');
  const data = new Uint8Array(5000).map((_, i) => i * 7);
  const blocks = [concat(html, script), data.subarray(0, 4096), data.subarray(4096)];
  const table = encodeBlockTable(
    await Promise.all(
      blocks.map(async (bytes) => ({
        storedLength: bytes.length,
        logicalLength: bytes.length,
        codec: codecId.raw,
        sha256: await sha256(bytes),
      })),
    ),
  );
  const blob = concat(table, ...blocks);
  const record = {
    sha256: hex(await sha256(blob)),
    tableSha256: hex(await sha256(table)),
    length: blob.length,
    tableLength: table.length,
    blockCount: blocks.length,
  };
  const tag = async (bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
    (await sha256(bytes)).slice(0, 8);
  const shared = {
    fileOffset: 0,
    blob: 0,
    block: 0,
    shift: 12,
    storedOffset: table.length,
    storedLength: blocks[0]!.length,
  };
  const model: BootstrapModel = {
    root: [
      {
        kind: 'file',
        name: 'index.html',
        size: html.length,
        tag: await tag(html),
        mime: 'text/html',
        headers: [
          ['X-One', '1'],
          ['X-Two', 'a: b'],
        ],
        extents: [{ ...shared, length: html.length, blockOffset: 0 }],
      },
      {
        kind: 'directory',
        name: 'größe',
        entries: [
          {
            kind: 'file',
            name: 'data.bin',
            size: data.length,
            tag: await tag(data),
            meta: Uint8Array.of(0, 255, 10),
            extents: [
              {
                fileOffset: 0,
                length: data.length,
                blob: 0,
                block: 1,
                shift: 12,
                blockOffset: 0,
                storedOffset: table.length + blocks[0]!.length,
                storedLength: data.length,
              },
            ],
          },
          { kind: 'directory', name: 'empty', entries: [] },
        ],
      },
      {
        kind: 'file',
        name: 'a.js',
        size: script.length,
        tag: await tag(script),
        mime: 'text/javascript',
        extents: [{ ...shared, length: script.length, blockOffset: html.length }],
      },
      { kind: 'file', name: 'nothing', size: 0, tag: await tag(new Uint8Array(0)), extents: [] },
    ],
    blobs: [record],
    codecs: ['raw'],
    crossOriginIsolate: true,
    fallback: 'index.html',
  };
  return { model, bootstrap: encodeBootstrap(model, deflate), record, table, blob };
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
