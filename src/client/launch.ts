import type { LaunchMetrics } from '../protocol/launch-metrics.ts';
import { loaded } from './loaded.ts';
import type { LoaderProcess } from './loader-process.ts';

/** How this page's launch went. A reload of the boot page counts as a launch of its own; an app's page that was written in place goes on from the visitor's click. */
export class Launch {
  /** Rejects where the loader could not tell, or what the app waited for has failed. */
  readonly metrics: Promise<LaunchMetrics>;
  #mark: Promise<number> | undefined;

  /** `begun`: the loader has a part in the launch, or it is over. */
  constructor(loader: Pick<LoaderProcess, 'call'>, begun: Promise<void>, wasComplete: boolean) {
    this.metrics = this.#measure(loader, begun, wasComplete);
    this.metrics.catch((error) => console.info('sluice: this launch was not measured:', error));
  }

  /** The app is ready when this resolves; only the first time counts, and only before the page's load event. */
  ready(when: Promise<unknown>): void {
    this.#mark ??= when.then(() => performance.now());
    this.#mark.catch(() => {}); // `metrics` tells.
  }

  async #measure(
    loader: Pick<LoaderProcess, 'call'>,
    begun: Promise<void>,
    wasComplete: boolean,
  ): Promise<LaunchMetrics> {
    await loaded();
    const end = await (this.#mark ?? performance.now());
    await begun;
    const { timeOrigin } = performance;
    const told = await loader.call('launchMetrics', (api) => api.launchMetrics(timeOrigin, timeOrigin + end));
    const metrics = { ...told, wasComplete };
    performance.measure('sluice:launch', { start: 0, end, detail: metrics });
    return metrics;
  }
}
