import { readFileSync } from 'node:fs';
import { readTraceFile } from '../src/cli/trace-file.ts';
import { fileClass } from '../src/pack/file-class.ts';
import { launchReads } from '../src/pack/launch-reads.ts';
import { plan } from '../src/pack/plan.ts';
import { walk } from '../src/pack/walk.ts';

/** What a launch reads of an app, as it is handed to the compressor: each piece is a large file, or small ones that share blocks. */
export interface LaunchContent {
  /** To be compressed. */
  readonly pieces: readonly Uint8Array<ArrayBuffer>[];
  /** The same bytes by file, as a web server compresses them. */
  readonly files: readonly Uint8Array<ArrayBuffer>[];
  /** Bytes of what is compressed by its own format, and is sent as it is by everybody. */
  readonly compressedBytes: number;
}

/** The files that a trace names, read wholly. */
export async function launchContent(dir: string, traceFile: string): Promise<LaunchContent> {
  const tree = await walk(dir);
  const named = { reads: readTraceFile(traceFile).reads.map(({ path }) => ({ path })) };
  const { units, launchUnits } = plan(tree.files, launchReads(tree.files, [named]), 2 ** 23);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const files: Uint8Array<ArrayBuffer>[] = [];
  const small: Uint8Array<ArrayBuffer>[] = [];
  let compressedBytes = 0;
  for (const unit of units.slice(0, launchUnits)) {
    for (const { path, source } of unit.kind === 'shared' ? unit.files : [unit.file]) {
      const bytes = new Uint8Array(readFileSync(source));
      if (fileClass(path).compressed) compressedBytes += bytes.length;
      else {
        files.push(bytes);
        (unit.kind === 'shared' ? small : pieces).push(bytes);
      }
    }
  }
  return { pieces: [new Uint8Array(Buffer.concat(small)), ...pieces], files, compressedBytes };
}
