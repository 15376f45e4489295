import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What is measured is what `npm run build` makes of the sources as they are now. Throws where it does not build. */
export function buildPackage(): void {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const { status } = spawnSync('npm', ['run', 'build', '--silent'], { cwd, stdio: 'inherit' });
  if (status !== 0) throw new Error('the package does not build');
}
