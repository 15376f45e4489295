import { expect, test } from '@playwright/test';
import { SluiceError } from '../../src/format/errors.ts';
import { hex, sha256 } from '../../src/format/sha256.ts';
import { Poller, type PollState } from '../../src/inspector/service/poller.ts';
import type { InspectQuery } from '../../src/loader/loader-service.ts';
import { BlockRunsWriter, blockState } from '../../src/protocol/block-states.ts';
import { deferred } from '../../src/protocol/deferred.ts';
import type { Inspection } from '../../src/protocol/inspection.ts';
import { tinyImage } from '../image/tiny-image.ts';
import { ManualClock } from '../loader/manual-clock.ts';
import { until } from '../support/until.ts';
import { Leaders } from './leaders.ts';
import { anInspection, aRead } from './sample.ts';

/** What a leader is asked, and how it answers: as `reply` says, of an image of three blocks. */
class Asked {
  readonly queries: InspectQuery[] = [];
  reply: (query: InspectQuery) => Promise<Partial<Inspection>> = async () => ({});
  readonly #leader: string;
  readonly #image: string;
  readonly #bootstrap: Uint8Array<ArrayBuffer>;

  constructor(leader: string, image: string, bootstrap: Uint8Array<ArrayBuffer>) {
    this.#leader = leader;
    this.#image = image;
    this.#bootstrap = bootstrap;
  }

  /** From now on a question waits until the last one that was asked is answered so. */
  answerByHand(): () => void {
    let last = deferred<Partial<Inspection>>();
    this.reply = () => {
      last = deferred();
      return last.promise;
    };
    return () => last.resolve({});
  }

  async inspect(query: InspectQuery): Promise<Inspection> {
    this.queries.push(query);
    const base = anInspection();
    const blocks = new BlockRunsWriter();
    blocks.add(blockState.missing, 3);
    return {
      ...base,
      state: { ...base.state, image: this.#image },
      cursor: { ...base.cursor, leader: this.#leader },
      blocks: blocks.runs(),
      ...(await this.reply(query)),
    };
  }

  async readBootstrap(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bootstrap;
  }
}

async function rig() {
  const leaders = new Leaders();
  const clock = new ManualClock();
  const { bootstrap } = await tinyImage();
  const image = hex(await sha256(bootstrap));
  let looked = 0;
  const { home } = leaders;
  const states: PollState[] = [];
  const poller = new Poller({
    home: {
      ...home,
      heldLocks: () => {
        looked += 1;
        return home.heldLocks();
      },
    },
    scope: leaders.scope,
    clock,
    onChange: () => states.push(poller.state),
  });
  return {
    leaders,
    clock,
    poller,
    image,
    /** After each question. */
    states,
    /** How often the locks were asked whether somebody leads. */
    looked: () => looked,
    service: (leader: string) => new Asked(leader, image, bootstrap),
    /** Time passes, and what follows from it happens. */
    async pass(ms: number) {
      await leaders.settled();
      clock.advance(ms);
      await leaders.settled();
    },
    async [Symbol.asyncDispose]() {
      poller.close();
      await leaders[Symbol.asyncDispose]();
    },
  };
}

const never = (): Promise<never> => new Promise(() => {});

/** Answers when the time has come, by the manual clock. */
function after(clock: ManualClock, ms: number): Promise<Partial<Inspection>> {
  return new Promise((resolve) => {
    clock.after(ms, () => resolve({}));
  });
}

test('nobody is asked until it is awake; then every 250 ms, each time for what is new', async () => {
  await using site = await rig();
  const service = site.service('one');
  await site.leaders.lead('one', service);
  await site.pass(1000);
  expect([service.queries.length, site.poller.state.kind]).toEqual([0, 'searching']);
  site.poller.awake = true;
  await until(async () => site.poller.state.kind === 'live');
  expect(service.queries).toEqual([{ image: undefined, cursor: undefined }]);
  expect(site.poller.snapshot?.image.id).toBe(site.image);
  await site.pass(249);
  expect(service.queries).toHaveLength(1);
  await site.pass(1);
  expect(service.queries.slice(1)).toEqual([
    { image: undefined, cursor: { ...anInspection().cursor, leader: 'one' } },
  ]);
});

test('a leader that takes long is asked ten times as seldom, and every 5 s at least', async () => {
  await using site = await rig();
  const service = site.service('one');
  service.reply = () => after(site.clock, 100);
  await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => service.queries.length === 1);
  await site.pass(100);
  await until(async () => site.poller.state.kind === 'live');
  await site.pass(999);
  expect(service.queries).toHaveLength(1);
  service.reply = () => after(site.clock, 3000);
  await site.pass(1);
  expect(service.queries).toHaveLength(2);
  await site.pass(3000);
  await site.pass(4999);
  expect(service.queries).toHaveLength(2);
  await site.pass(1);
  expect(service.queries).toHaveLength(3);
});

test('how long a leader was waited for says nothing of how long it takes', async () => {
  await using site = await rig();
  const unlock = await site.leaders.hold();
  site.poller.awake = true;
  await site.pass(4000);
  expect(site.poller.state.kind).toBe('searching');
  unlock();
  const service = site.service('one');
  await site.leaders.lead('one', service);
  await until(async () => site.poller.state.kind === 'live');
  await site.pass(250);
  expect(service.queries.length).toBeGreaterThan(1);
});

test('nobody there: it looks less and less often, and asks the first who comes at once', async () => {
  await using site = await rig();
  site.poller.awake = true;
  await until(async () => site.poller.state.kind === 'nobody');
  for (const ms of [500, 1000, 2000, 4000, 4000]) {
    const before = site.looked();
    await site.pass(ms - 1);
    expect(site.looked()).toBe(before);
    await site.pass(1);
    expect(site.looked()).toBeGreaterThan(before);
  }
  const service = site.service('one');
  await site.leaders.lead('one', service);
  await until(async () => site.poller.state.kind === 'live');
  expect(service.queries).toHaveLength(1);
});

test('a question that fails is told, and asked again, less and less often', async () => {
  await using site = await rig();
  const service = site.service('one');
  service.reply = () => Promise.reject(new SluiceError('ENOENT', 'No image is mounted yet'));
  await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => site.poller.state.kind === 'failing');
  expect(site.poller.state).toMatchObject({ error: { code: 'ENOENT', message: 'No image is mounted yet' } });
  for (const ms of [500, 1000, 2000]) {
    const before = service.queries.length;
    await site.pass(ms - 1);
    expect(service.queries).toHaveLength(before);
    await site.pass(1);
    expect(service.queries).toHaveLength(before + 1);
  }
  service.reply = async () => ({});
  await site.pass(4000);
  await until(async () => site.poller.state.kind === 'live');
});

test('a question that is never answered ends, is told, and asked anew', async () => {
  await using site = await rig();
  const service = site.service('one');
  service.reply = () => (service.queries.length === 1 ? never() : Promise.resolve({}));
  await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => service.queries.length === 1);
  await site.pass(10_000);
  // It still says that it leads.
  await until(async () => site.poller.state.kind === 'live');
  expect(site.states).toMatchObject([{ kind: 'failing', error: { code: 'call-timeout' } }, { kind: 'live' }]);
  expect(service.queries).toHaveLength(2);
});

test('a leader that was killed, and none after it: what was seen last stays, and nobody is there', async () => {
  await using site = await rig();
  const service = site.service('one');
  const one = await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => site.poller.state.kind === 'live');
  const { snapshot } = site.poller;
  one.die();
  await site.pass(250);
  await site.pass(10_000);
  await until(async () => site.poller.state.kind === 'nobody');
  expect(site.poller.snapshot).toBe(snapshot);
  // What it had posted may come now: it is not asked for 10 s again.
  one.announce();
  const two = site.service('two');
  await site.leaders.lead('two', two);
  await until(async () => site.poller.snapshot?.inspection.cursor.leader === 'two');
});

test('the leader changes in the middle of a question: the next one answers it, and its serials begin anew', async () => {
  await using site = await rig();
  const service = site.service('one');
  service.reply = async () => ({ reads: [aRead({ serial: 7, path: 'old' })] });
  const one = await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => site.poller.state.kind === 'live');
  expect(site.poller.snapshot?.reads.map(({ path }) => path)).toEqual(['old']);
  service.reply = never;
  await site.pass(250);
  expect(service.queries).toHaveLength(2);
  one.die();
  const next = site.service('two');
  next.reply = async () => ({ reads: [aRead({ serial: 1, path: 'new' })] });
  await site.leaders.lead('two', next);
  await until(async () => site.poller.snapshot?.inspection.cursor.leader === 'two');
  expect(site.poller.snapshot?.reads.map(({ path }) => path)).toEqual(['new']);
  expect(site.poller.state.kind).toBe('live');
});

test('poked in the middle of a question, it asks once more at once: the answer may be older than what was done', async () => {
  await using site = await rig();
  const service = site.service('one');
  const answer = service.answerByHand();
  await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => service.queries.length === 1);
  site.poller.poke();
  answer();
  await until(async () => service.queries.length === 2);
  answer();
  await until(async () => site.poller.state.kind === 'live');
  await site.pass(249);
  expect(service.queries).toHaveLength(2);
  site.poller.poke();
  await until(async () => service.queries.length === 3);
});

test('the image that is chosen in the middle of a question is asked for next, at once', async () => {
  await using site = await rig();
  const service = site.service('one');
  const answer = service.answerByHand();
  await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => service.queries.length === 1);
  site.poller.image = site.image;
  answer();
  await until(async () => service.queries.length === 2);
  expect(service.queries[1]!.image).toBe(site.image);
});

test('asleep it asks nothing; awake again, it asks at once', async () => {
  await using site = await rig();
  const service = site.service('one');
  await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => site.poller.state.kind === 'live');
  site.poller.awake = false;
  await site.pass(60_000);
  expect(service.queries).toHaveLength(1);
  expect(site.clock.timers).toBe(0);
  site.poller.awake = true;
  await until(async () => service.queries.length === 2);
});

test('closed, nothing is left of it, also in the middle of a question', async () => {
  await using site = await rig();
  const service = site.service('one');
  service.reply = never;
  const one = await site.leaders.lead('one', service);
  site.poller.awake = true;
  await until(async () => service.queries.length === 1);
  site.poller.close();
  await site.leaders.settled();
  expect(site.clock.timers).toBe(0);
  one.die();
  await until(async () => (await site.leaders.locks.query()).held!.length === 0);
  expect(site.poller.state.kind).toBe('searching');
});
