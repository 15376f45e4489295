import { join } from 'node:path';
import { build } from 'vite';

/** A TypeScript file of this folder as one classic script, for a worker of a test page. */
export async function bundle(file: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'warn',
    build: {
      write: false,
      minify: false,
      rolldownOptions: { input: join(import.meta.dirname, file), output: { format: 'iife' } },
    },
  });
  const output = Array.isArray(result) ? result[0] : result;
  if (output === undefined || !('output' in output)) throw new Error(`vite built nothing from ${file}`);
  return output.output[0].code;
}
