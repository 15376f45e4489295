import type { LoaderProcess } from './loader-process.ts';

/**
 * A page that is frozen, or kept to be gone back to, does nothing and says nothing, but its worker would go on holding the store's lock and files: no
 * other tab could take over. So its loader goes to sleep with it. Until the loader is closed.
 */
export function sleepWithPage(loader: Pick<LoaderProcess, 'sleep' | 'wake' | 'whenClosed'>): void {
  const ended = new AbortController();
  const { signal } = ended;
  void loader.whenClosed().then(() => ended.abort());
  const sleep = (): void => loader.sleep();
  const wake = (): void => loader.wake();
  document.addEventListener('freeze', sleep, { signal });
  document.addEventListener('resume', wake, { signal });
  const onlyKept =
    (action: () => void) =>
    ({ persisted }: PageTransitionEvent): void => {
      if (persisted) action();
    };
  addEventListener('pagehide', onlyKept(sleep), { signal });
  addEventListener('pageshow', onlyKept(wake), { signal });
}
