import { expect, test } from '@playwright/test';
import { evaluationError } from '../../src/extension/evaluate.ts';
import {
  noLoader,
  noSluice,
  type PanelHome,
  PanelLife,
  type PanelView,
} from '../../src/extension/panel-life.ts';
import { SluiceError } from '../../src/format/errors.ts';
import { ManualClock } from '../loader/manual-clock.ts';

/** A panel in a tab whose pages are made of words. */
class Rig implements PanelView {
  /** What happened, in order. */
  readonly log: string[] = [];
  readonly clock = new ManualClock();
  /** Names of locks that are held in the page. */
  locks: string[] = ['sluice:writer:https://a.example/'];
  /** Why the page cannot be looked into. */
  trouble: SluiceError | undefined;
  end = (_reason: SluiceError): void => {};
  isBusy = false;
  isServed = false;
  readonly life = new PanelLife({
    clock: this.clock,
    open: async (onEnd) => {
      if (this.trouble) throw this.trouble;
      this.end = onEnd;
      this.log.push('open');
      return {
        heldLocks: async () => this.locks,
        close: () => this.log.push('close'),
        isServed: async () => this.isServed,
      } as unknown as PanelHome;
    },
    view: this,
  });

  show(): void {
    this.log.push('show');
  }

  tell(text: string): void {
    this.log.push(`tell ${text}`);
  }

  clear(): void {
    this.log.push('clear');
  }

  /** What has happened since, once all promises have been kept. */
  async told(): Promise<string[]> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.log.splice(0);
  }
}

test('a panel opens its home when it is shown, and closes it when it is hidden', async () => {
  const rig = new Rig();
  rig.life.navigated();
  expect(await rig.told()).toEqual([]);
  rig.life.isShown = true;
  rig.life.isShown = true;
  expect(await rig.told()).toEqual(['open', 'show']);
  rig.life.isShown = false;
  expect(await rig.told()).toEqual(['clear', 'close']);
  rig.life.navigated();
  expect(await rig.told()).toEqual([]);
  expect(rig.clock.timers).toBe(0);
  rig.life.isShown = true;
  expect(await rig.told()).toEqual(['open', 'show']);
});

test('another page has another home; a page that was left is no trouble', async () => {
  const rig = new Rig();
  rig.life.isShown = true;
  await rig.told();
  rig.life.navigated();
  expect((await rig.told()).toSorted()).toEqual(['close', 'open', 'show']);
  rig.end(new SluiceError('disconnected', 'left'));
  expect(await rig.told()).toEqual(['close']);
  rig.clock.advance(100);
  expect(await rig.told()).toEqual(['open', 'show']);
});

test('where there is nothing to inspect, or no way to it, it says so, and looks again', async () => {
  const rig = new Rig();
  rig.locks = ['sluice:loader:x', 'their own'];
  rig.life.isShown = true;
  expect(await rig.told()).toEqual(['open', `tell ${noSluice}`]);
  rig.isServed = true;
  rig.clock.advance(1000);
  expect(await rig.told()).toEqual([`tell ${noLoader}`]);
  rig.locks = ['sluice:writer:https://a.example/'];
  expect(await rig.told()).toEqual([]);
  rig.clock.advance(1000);
  expect(await rig.told()).toEqual(['show']);
  rig.trouble = new SluiceError('EACCES', 'not that page');
  rig.clock.advance(5000);
  rig.end(new SluiceError('E2BIG', 'too much'));
  expect(await rig.told()).toEqual(['close', 'tell too much']);
  rig.clock.advance(1000);
  expect(await rig.told()).toEqual(['tell not that page']);
  rig.trouble = undefined;
  rig.clock.advance(1000);
  expect(await rig.told()).toEqual(['open', 'show']);
});

test('a page that is still coming is no trouble, one that stays closed is', async () => {
  const rig = new Rig();
  rig.trouble = new SluiceError('EACCES', 'no context');
  rig.life.isShown = true;
  for (let ms = 0; ms < 2000; ms += 100) {
    expect(await rig.told()).toEqual([]);
    rig.clock.advance(100);
  }
  expect(await rig.told()).toEqual(['tell no context']);
  rig.trouble = undefined;
  rig.clock.advance(1000);
  expect(await rig.told()).toEqual(['open', 'show']);
  rig.trouble = new SluiceError('EACCES', 'no context');
  rig.end(new SluiceError('disconnected', 'left'));
  expect(await rig.told()).toEqual(['close']);
  rig.clock.advance(100);
  expect(await rig.told()).toEqual([]);
});

test('a home that comes when the panel is hidden already is closed at once', async () => {
  const rig = new Rig();
  rig.life.isShown = true;
  rig.life.isShown = false;
  expect(await rig.told()).toEqual(['open', 'clear', 'close']);
  expect(rig.clock.timers).toBe(0);
});

test('what was begun in the panel is finished though nobody looks', async () => {
  const rig = new Rig();
  rig.life.isShown = true;
  await rig.told();
  rig.isBusy = true;
  rig.life.isShown = false;
  rig.clock.advance(3000);
  expect(await rig.told()).toEqual([]);
  rig.life.isShown = true;
  expect(rig.clock.timers).toBe(0);
  rig.life.isShown = false;
  rig.isBusy = false;
  rig.clock.advance(1000);
  expect(await rig.told()).toEqual(['clear', 'close']);
  expect(rig.clock.timers).toBe(0);
});

test('what DevTools says of an evaluation becomes an error with a remedy', () => {
  const refused = evaluationError({
    isError: true,
    code: 'E_FAILED',
    description: 'Operation failed: %s',
    details: ['no such page'],
  });
  expect(refused.code).toBe('EACCES');
  expect(refused.message).toContain('(E_FAILED: Operation failed: no such page)');
  expect(refused.message).toContain('Open the app’s page');
  const threw = evaluationError({ isException: true, value: 'TypeError: x' });
  expect(threw.code).toBe('unreadable');
  expect(threw.message).toContain('Reload');
});
