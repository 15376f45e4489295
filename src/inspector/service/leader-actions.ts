import { BlockTable } from '../../format/block-table.ts';
import { isCode, SluiceError } from '../../format/errors.ts';
import { formatNumberOf } from '../../format/quantity.ts';
import type { InspectorSwitches } from '../../protocol/inspection.ts';
import { copyText } from '../actions/copy-text.ts';
import { download } from '../actions/download.ts';
import {
  fsckImage,
  type ImageTask,
  saveImage,
  scrubImage,
  takeImage,
  type UseLeader,
} from '../actions/image-tasks.ts';
import { openSaveTarget, type SaveTarget } from '../actions/save-target.ts';
import type { InspectorActions, InspectorTarget, Notice } from '../actions.ts';
import type { InspectorHome, NavigationMark } from '../home.ts';
import { diagnosticReport } from '../model/diagnostic-report.ts';
import { failureText } from '../model/failure-text.ts';
import { shortDigest } from '../model/labels.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { Tasks } from '../model/tasks.ts';
import type { Poller } from './poller.ts';

export interface LeaderActionsOptions {
  /** Of the site that is looked at; undefined while there is none. */
  readonly poller: () => Poller | undefined;
  readonly home: () => InspectorHome | undefined;
  readonly say: (notice: Notice) => void;
  readonly show: (target: InspectorTarget) => void;
}

/** What the panel does, by asking the leader. */
export class LeaderActions implements InspectorActions {
  readonly tasks = new Tasks();
  readonly #options: LeaderActionsOptions;

  constructor(options: LeaderActionsOptions) {
    this.#options = options;
  }

  show(target: InspectorTarget): void {
    this.#options.show(target);
  }

  async marks(): Promise<readonly NavigationMark[]> {
    return (await this.#options.home()?.marks?.()) ?? [];
  }

  async blockTable(blob: number): Promise<BlockTable | undefined> {
    const { poller, snapshot } = this.#site();
    const bytes = await poller.use('blockTable', (service) => service.blockTable(snapshot.image.id, blob));
    return bytes && BlockTable.open(bytes, snapshot.image.blob(blob));
  }

  pause(): Promise<void> {
    return this.#switch({ isPaused: true }, 'Paused: nothing new is asked for, and readers wait.');
  }

  resume(): Promise<void> {
    return this.#switch({ isPaused: false }, 'The loader goes on.');
  }

  setSwitches(switches: Partial<InspectorSwitches>): Promise<void> {
    return this.#switch(switches, 'The loader works by the new settings.');
  }

  prefetch(paths: readonly string[]): Promise<void> {
    return this.#task(`Prefetch ${listed(paths)}`, async ({ image }, use, { signal }) => {
      await use('prefetch', (service) => service.prefetch(image.id, paths, 'demand', signal));
      return { kind: 'good', text: `${listed(paths)} is here.` };
    });
  }

  pin(paths: readonly string[], pinned: boolean): Promise<void> {
    return this.#do(`${listed(paths)} is ${pinned ? 'pinned' : 'no longer pinned'}.`, (use, { image }) =>
      use('pin', (service) => service.pin(image.id, paths, pinned)),
    );
  }

  evict(paths: readonly string[]): Promise<void> {
    return this.#do(
      `${listed(paths)} was given back, but for blobs that something else needs.`,
      (use, { image }) => use('evict', (service) => service.evict(image.id, paths)),
    );
  }

  scrub(): Promise<void> {
    return this.#task('Scrub', scrubImage);
  }

  fsck(): Promise<void> {
    return this.#task('Check of the image', fsckImage);
  }

  exportReadLog(): Promise<void> {
    return this.#do('The read log was saved; `sluice build --trace` takes it.', async (use, { image }) => {
      const log = await use('readLog', (service) => service.readLog(image.id));
      download(
        `trace-${shortDigest(image.id)}.json`,
        new Blob([`${JSON.stringify(log, undefined, 1)}\n`], { type: 'application/json' }),
      );
    });
  }

  async saveImage(): Promise<void> {
    let target: SaveTarget | undefined;
    try {
      const { image, inspection } = this.#site().snapshot;
      const { complete, blocks } = inspection.state;
      if (!complete)
        throw new SluiceError(
          'EBUSY',
          `${formatNumberOf(blocks.total - blocks.present, 'block')} of the image are still missing`,
        );
      target = await openSaveTarget(`sluice-${shortDigest(image.id)}.zip`, image.superblock.storedBytes);
    } catch (error) {
      this.#fail(error);
    }
    const to = target;
    if (to) await this.#task('Save the image', (...given) => saveImage(to, ...given));
  }

  importImage(file: Blob): Promise<void> {
    return this.#task('Import', (...given) => takeImage(file, ...given));
  }

  report(): Promise<void> {
    return this.#do('The report was copied.', async (_, snapshot) => {
      await copyText(diagnosticReport(snapshot, navigator.userAgent));
    });
  }

  endLeader(): Promise<void> {
    return this.#do('The loader that led has ended; another one takes its place.', (use) =>
      use('endLeader', async (service) => {
        try {
          await service.endLeader();
        } catch (error) {
          // It has ended before it answered; asked again, the next one would end too.
          if (!isCode(error, 'disconnected')) throw error;
        }
      }),
    );
  }

  #switch(switches: Partial<InspectorSwitches>, done: string): Promise<void> {
    return this.#do(done, (use, { inspection }) =>
      use('setSwitches', (service) => service.setSwitches({ ...inspection.switches, ...switches })),
    );
  }

  /** What is done soon. */
  async #do(done: string, work: (use: UseLeader, snapshot: Snapshot) => Promise<void>): Promise<void> {
    try {
      const { poller, snapshot } = this.#site();
      await work((name, call) => poller.use(name, call), snapshot);
      this.#options.say({ kind: 'good', text: done });
      poller.poke();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What takes its time. */
  async #task(title: string, work: ImageTask): Promise<void> {
    try {
      const { poller, snapshot } = this.#site();
      const { kind, text } = await this.tasks.run(
        title,
        (control) => work(snapshot, (name, call) => poller.use(name, call), control),
        (error) => ({ kind: 'bad', text: failureText(error) }),
      );
      this.#options.say({ kind, text: `${title}: ${text}` });
      poller.poke();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#options.say({ kind: 'bad', text: failureText(error) });
  }

  #site(): { readonly poller: Poller; readonly snapshot: Snapshot } {
    const poller = this.#options.poller();
    const snapshot = poller?.snapshot;
    if (!poller || !snapshot)
      throw new SluiceError('disconnected', 'No loader answers; open the app in a tab');
    return { poller, snapshot };
  }
}

function listed(paths: readonly string[]): string {
  const [first = 'The image'] = paths;
  return paths.length > 1 ? `${first} and ${paths.length - 1} more` : first;
}
