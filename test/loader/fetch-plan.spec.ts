import { expect, test } from '@playwright/test';
import type { BlobHead, BlobView, Demand, PartialMark, RunHint } from '../../src/loader/blob-view.ts';
import { type PlanInput, planFetch } from '../../src/loader/fetch-plan.ts';
import type { FlightKind, FlightView } from '../../src/loader/flight-view.ts';
import { requestBytes } from '../../src/loader/link-view.ts';
import { planLimits } from '../../src/loader/plan-limits.ts';
import { seededRandom } from '../support/random.ts';

const KiB = 1024;

/** A blob as a test wants it. */
class TestBlob implements BlobView {
  readonly length: number;
  readonly tableLength: number;
  readonly blockCount: number;
  readonly ends: readonly number[];
  readonly here = new Set<number>();
  readonly held = new Set<number>();
  tableKnown = false;
  tableLoading = false;
  partial: PartialMark | undefined;

  constructor(sizes: readonly number[]) {
    this.blockCount = sizes.length;
    this.tableLength = 16 + 40 * sizes.length;
    let end = this.tableLength;
    this.ends = sizes.map((size) => (end += size));
    this.length = end;
  }

  stored(block: number): { start: number; end: number } {
    return { start: this.ends[block - 1] ?? this.tableLength, end: this.ends[block]! };
  }

  get table(): { stored(block: number): { start: number; end: number } } | undefined {
    return this.tableKnown ? { stored: (block) => this.stored(block) } : undefined;
  }

  get complete(): boolean {
    return this.tableKnown && this.here.size === this.blockCount;
  }

  isHere(block: number): boolean {
    return this.here.has(block);
  }

  isHeld(block: number): boolean {
    return this.held.has(block);
  }
}

function blob(sizes: readonly number[], known = true): TestBlob {
  const made = new TestBlob(sizes);
  made.tableKnown = known;
  return made;
}

interface TestInput extends Omit<Partial<PlanInput<TestBlob>>, 'background' | 'link'> {
  readonly background?: readonly TestBlob[];
  readonly rate?: number;
  readonly latencyMs?: number;
}

function plan({ background = [], rate = 0, latencyMs = 0, ...input }: TestInput) {
  return planFetch({
    demands: [],
    ahead: [],
    early: [],
    late: [],
    launch: [],
    flights: [],
    background: background.map((one) => head(one)),
    link: { rate, latencyMs },
    wholeFiles: false,
    ...input,
  });
}

function head(of: TestBlob, blocks = of.blockCount): BlobHead<TestBlob> {
  return { blob: of, blocks, end: of.ends[blocks - 1]! };
}

function want(of: TestBlob, block: number, hint?: RunHint): Demand<TestBlob> {
  return { blob: of, block, hint };
}

/** What the extents say of a run of `count` blocks. */
function run(of: TestBlob, firstBlock: number, blockCount = 1): RunHint {
  return {
    start: of.stored(firstBlock).start,
    end: of.stored(firstBlock + blockCount - 1).end,
    firstBlock,
    blockCount,
  };
}

function flight(
  of: TestBlob,
  kind: FlightKind,
  position: number,
  end: number,
  remaining = end - position,
): FlightView<TestBlob> {
  return { blob: of, kind, position, end, remaining };
}

const ten = Array.from({ length: 10 }, () => 10 * KiB);

test('nothing to do', () => {
  const done = blob(ten);
  for (let i = 0; i < 10; i++) done.here.add(i);
  expect(plan({})).toBeUndefined();
  expect(plan({ background: [done], demands: [want(done, 3)] })).toBeUndefined();
});

test('a wanted block: exactly its bytes', () => {
  const one = blob(ten);
  expect(plan({ demands: [want(one, 3)] })).toEqual({ blob: one, kind: 'demand', ...one.stored(3) });
});

test('oldest first, whatever the background wants', () => {
  const one = blob(ten);
  const two = blob(ten);
  const demands = [want(two, 9), want(one, 0)];
  expect(plan({ demands, background: [one, two] })).toMatchObject({ blob: two, start: two.stored(9).start });
  const flights = [flight(two, 'demand', two.stored(9).start, two.length)];
  expect(plan({ demands, flights })).toMatchObject({ blob: one, start: one.stored(0).start });
});

test('wanted blocks close behind share the request, over missing blocks only', () => {
  const one = blob(ten);
  const demands = [want(one, 2), want(one, 3), want(one, 6), want(one, 0)];
  // 4 and 5 are missing: 20 KiB fetched along. 0 lies before.
  expect(plan({ demands })).toMatchObject({ start: one.stored(2).start, end: one.stored(6).end });
  one.here.add(4);
  expect(plan({ demands })).toMatchObject({ start: one.stored(2).start, end: one.stored(3).end });
  one.here.delete(4);
  const flights = [flight(one, 'demand', one.stored(5).start, one.stored(5).end)];
  expect(plan({ demands, flights })).toMatchObject({ start: one.stored(2).start, end: one.stored(3).end });
});

test('a gap of exactly the limit is bridged, a longer one is not', () => {
  const bridged = blob([1000, planLimits.gapBytes, 1000]);
  expect(plan({ demands: [want(bridged, 0), want(bridged, 2)] })).toMatchObject({ end: bridged.length });
  const far = blob([1000, planLimits.gapBytes + 1, 1000]);
  expect(plan({ demands: [want(far, 0), want(far, 2)] })).toMatchObject({ end: far.stored(0).end });
});

test('as many demand requests as fill the link: two at least, six at most, four on an unknown one', () => {
  const one = blob(Array.from({ length: 40 }, () => 100 * KiB));
  const running = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const { start, end } = one.stored(4 * i);
      return flight(one, 'demand', start, end);
    });
  /** How many run when no more start. */
  const limit = (link: { rate: number; latencyMs: number }): number => {
    let count = 0;
    while (plan({ demands: [want(one, 4 * count)], flights: running(count), ...link })) count += 1;
    return count;
  };
  expect(limit({ rate: 0, latencyMs: 0 })).toBe(4);
  expect(limit({ rate: 625_000, latencyMs: 150 })).toBe(2);
  // 312,500 bytes fill the round trip: four blocks of 100 KiB pass that.
  expect(limit({ rate: 2_500_000, latencyMs: 100 })).toBe(4);
  expect(limit({ rate: 12_500_000, latencyMs: 150 })).toBe(6);
  // A browser has six connections: what others use is not there for a third.
  const others = Array.from({ length: 4 }, () => flight(blob(ten), 'background', 0, 10));
  const fast = { demands: [want(one, 36)], rate: 12_500_000, latencyMs: 150 };
  expect(plan({ ...fast, flights: [...running(1), ...others] })).toBeDefined();
  expect(plan({ ...fast, flights: [...running(2), ...others] })).toBeUndefined();
});

test('classes: readers, what they want next, what was asked for early, the launch set, the rest', () => {
  const blobs = Array.from({ length: 6 }, () => blob(ten));
  const [reader, ahead, early, launch, rest, late] = blobs as [
    TestBlob,
    TestBlob,
    TestBlob,
    TestBlob,
    TestBlob,
    TestBlob,
  ];
  const input: TestInput = {
    demands: [want(reader, 9)],
    ahead: [want(ahead, 5)],
    early: [want(early, 5)],
    launch: [head(launch, 3)],
    background: [rest],
    late: [want(late, 5)],
  };
  const order: unknown[] = [];
  for (;;) {
    const next = plan(input);
    if (!next) break;
    order.push([blobs.indexOf(next.blob), next.kind]);
    for (let block = 0; block < 10; block++) {
      const { start, end } = next.blob.stored(block);
      if (start >= next.start && end <= next.end) next.blob.here.add(block);
    }
  }
  expect(order).toEqual([
    [0, 'demand'],
    [1, 'launch'],
    [2, 'launch'],
    [3, 'launch'],
    [4, 'background'],
    [5, 'background'],
  ]);
  expect([...launch.here], 'the launch set, and no more').toEqual([0, 1, 2]);
});

test('a reader who may not start yet is still before everybody else', () => {
  const one = blob(Array.from({ length: 20 }, () => 100 * KiB));
  const flights = [flight(one, 'demand', one.stored(0).start, one.stored(3).end)];
  const two = [...flights, flight(one, 'demand', one.stored(4).start, one.stored(4).end)];
  const link = { rate: 1_000_000, latencyMs: 100 };
  expect(plan({ ...link, demands: [want(one, 9)], launch: [head(one)], flights: two })).toBeUndefined();
});

test('the launch set goes on beside a reader’s request, when the link would idle; the rest does not', () => {
  const one = blob(ten);
  const link = { rate: 100_000, latencyMs: 80 };
  const reading = (remaining: number) => [flight(blob(ten), 'demand', 0, 20_000, remaining)];
  expect(plan({ ...link, launch: [head(one)], flights: reading(10_001) })).toBeUndefined();
  expect(plan({ ...link, launch: [head(one)], flights: reading(10_000) })).toMatchObject({ kind: 'launch' });
  expect(plan({ ...link, background: [one], flights: reading(1) })).toBeUndefined();
});

test('the launch set waits for a table that is on its way: what is behind it does not take the link meanwhile', () => {
  const long = blob([planLimits.wholeBytes, 10], false);
  const [short, rest] = [blob(ten, false), blob(ten)];
  const table = flight(long, 'launch', 0, long.tableLength);
  expect(plan({ launch: [head(long)], background: [rest], flights: [table] })).toBeUndefined();
  expect(plan({ background: [long, rest], flights: [table] })).toBeUndefined();
  // What comes with its table needs nothing more.
  const whole = flight(short, 'launch', 0, short.length, 10);
  expect(plan({ launch: [head(short)], background: [rest], flights: [whole] })).toMatchObject({ blob: rest });
});

test('the table of the blob behind comes ahead, by itself', () => {
  const one = blob(ten);
  const long = blob([planLimits.wholeBytes, 10], false);
  const short = blob(ten, false);
  expect(plan({ launch: [head(one), head(long)] })).toEqual({
    blob: long,
    kind: 'launch',
    start: 0,
    end: long.tableLength,
  });
  const table = flight(long, 'launch', 0, long.tableLength);
  expect(plan({ launch: [head(one), head(long)], flights: [table] })).toMatchObject({ blob: one });
  expect(plan({ launch: [head(one), head(short)] }), 'which comes whole').toMatchObject({ blob: one });
  expect(plan({ launch: [head(one), head(long)], wholeFiles: true })).toMatchObject({ blob: one });
});

test('what has come and is being written takes no connection; much of it is waited for', () => {
  const one = blob(ten);
  const landing = (count: number) =>
    Array.from({ length: count }, () => flight(blob(ten), 'launch', 0, 10, 0));
  expect(plan({ launch: [head(one)], flights: landing(5) })).toMatchObject({ blob: one });
  expect(plan({ launch: [head(one)], flights: landing(6) })).toBeUndefined();
  const written = Array.from({ length: 8 }, () => flight(blob(ten), 'demand', 0, 10, 0));
  expect(plan({ demands: [want(one, 1)], flights: written })).toMatchObject({ blob: one });
});

test('read ahead: along with what is wanted where it follows, up to what a request may have, else by itself', () => {
  const one = blob(ten);
  const far = { start: one.stored(2).start, end: one.stored(4).end, kind: 'demand' };
  const ahead = [3, 4, 7].map((block) => want(one, block));
  // 7 follows closely as well: two missing blocks are fetched along. Of a slow link, only as much as its requests have.
  expect(plan({ demands: [want(one, 2)], ahead })).toMatchObject({ end: one.stored(7).end });
  const large = blob(Array.from({ length: 10 }, () => 40 * KiB));
  expect(
    plan({
      demands: [want(large, 2)],
      ahead: [3, 4].map((block) => want(large, block)),
      rate: 1000,
      latencyMs: 1,
    }),
  ).toMatchObject({ start: large.stored(2).start, end: large.stored(2).end });
  const flights = [flight(one, 'demand', far.start, far.end, 10)];
  expect(plan({ demands: [want(one, 2)], ahead, flights })).toEqual({
    blob: one,
    kind: 'launch',
    ...one.stored(7),
  });
});

test('a block that came in part: only the rest', () => {
  const one = blob(ten);
  const { start, end } = one.stored(3);
  one.partial = { block: 3, at: start + 77 };
  expect(plan({ demands: [want(one, 3)] })).toMatchObject({ start: start + 77, end });
  expect(plan({ demands: [want(one, 2)] })).toMatchObject({
    start: one.stored(2).start,
    end: one.stored(2).end,
  });
  for (const block of [0, 1, 2]) one.here.add(block);
  expect(plan({ background: [one] })).toMatchObject({ start: start + 77 });
});

test('in flight, also when the flight ends in the middle of the block: not asked for again', () => {
  const one = blob(ten);
  const { start, end } = one.stored(3);
  expect(plan({ demands: [want(one, 3)], flights: [flight(one, 'background', start, end)] })).toBeUndefined();
  expect(plan({ demands: [want(one, 3)], flights: [flight(one, 'background', 0, end - 1)] })).toBeUndefined();
  // It has passed the block, which was not good.
  expect(
    plan({ demands: [want(one, 3)], flights: [flight(one, 'background', end, one.length)] }),
  ).toBeDefined();
});

test('table unknown: with the run along when near, before it when far, alone when the run is long', () => {
  const one = blob(ten, false);
  const near = run(one, 1);
  expect(plan({ demands: [want(one, 1, near)] })).toMatchObject({ start: 0, end: near.end });
  const far = run(one, 8);
  expect(plan({ demands: [want(one, 8, far)] })).toMatchObject({ start: 0, end: one.tableLength });
  const table = [flight(one, 'demand', 0, one.tableLength)];
  expect(plan({ demands: [want(one, 8, far)], flights: table })).toMatchObject({
    start: far.start,
    end: far.end,
  });
  expect(plan({ demands: [want(one, 8)], flights: table })).toBeUndefined();
  // Of a long run, one block is wanted: the table first. Most of it is wanted: all at once.
  const long = blob([planLimits.blindBytes, 1, 1], false);
  expect(plan({ demands: [want(long, 0, run(long, 0, 3))] })).toMatchObject({
    start: 0,
    end: long.tableLength,
  });
  const most = [want(long, 0, run(long, 0, 3)), want(long, 2, run(long, 0, 3))];
  expect(plan({ demands: most })).toMatchObject({ start: 0, end: long.length });
  expect(plan({ demands: [want(long, 1, run(long, 1, 2))] })).toMatchObject({
    start: 0,
    end: long.tableLength,
  });
  one.tableLoading = true;
  expect(plan({ demands: [want(one, 1, near)] })).toBeUndefined();
});

test('background: from the front, as much as fits the time, at least a block', () => {
  const one = blob(ten);
  expect(plan({ background: [one], rate: 1 })).toEqual({
    blob: one,
    kind: 'background',
    start: one.stored(0).start,
    end: one.stored(5).end,
  });
  const big = blob([planLimits.requestMinBytes * 3, 10]);
  expect(plan({ background: [big], rate: 1 })).toMatchObject({
    start: big.stored(0).start,
    end: big.stored(0).end,
  });
  one.here.add(0);
  one.held.add(1);
  one.here.add(4);
  expect(plan({ background: [one] })).toMatchObject({ start: one.stored(2).start, end: one.stored(3).end });
  one.held.add(-1);
  expect(plan({ background: [one, big] })).toMatchObject({ blob: big });
});

test('background: an unknown table comes with the first blocks', () => {
  const one = blob(
    Array.from({ length: 200 }, () => 10 * KiB),
    false,
  );
  expect(plan({ background: [one] })).toEqual({
    blob: one,
    kind: 'background',
    start: 0,
    end: one.tableLength + planLimits.requestFirstBytes + planLimits.unmeasuredRoom,
  });
  const small = blob([10], false);
  expect(plan({ background: [small] })).toMatchObject({ start: 0, end: small.length });
  const whole = blob([planLimits.wholeBytes - blob([1]).length + 1], false);
  expect(plan({ background: [whole] })).toMatchObject({ start: 0, end: planLimits.wholeBytes });
  const longer = blob([planLimits.wholeBytes - blob([1]).length + 2], false);
  expect(plan({ background: [longer] })?.end).toBeLessThan(longer.length);
});

test('background: nothing while a reader’s request is under way', () => {
  const one = blob(ten);
  const flights = [flight(blob(ten), 'demand', 0, 100)];
  expect(plan({ background: [one], flights })).toBeUndefined();
});

test('background: the next request starts when the rest of the one before comes sooner than an answer', () => {
  const one = blob(ten);
  const { start, end } = one.stored(0);
  const running = (remaining: number) => [flight(one, 'background', start, end, remaining)];
  // A quarter sooner than it would have to.
  const link = { background: [one], rate: 100_000, latencyMs: 40 };
  expect(plan({ ...link, flights: running(5001) })).toBeUndefined();
  expect(plan({ ...link, flights: running(5000) })).toMatchObject({ start: one.stored(1).start });
  expect(plan({ ...link, flights: [...running(2000), ...running(3001)] })).toBeUndefined();
  expect(plan({ ...link, flights: [...running(2000), ...running(3000)] })).toBeDefined();
  expect(plan({ ...link, flights: [...running(10), ...running(10), ...running(10)] })).toBeUndefined();
});

test('background requests last about as long as they should', () => {
  const bytes = (rate: number, kind: 'launch' | 'background' = 'background', latencyMs = 50) =>
    requestBytes({ rate, latencyMs }, kind);
  expect(bytes(0)).toBe(planLimits.requestFirstBytes);
  expect(bytes(1000)).toBe(planLimits.requestMinBytes);
  expect(bytes(2_500_000)).toBe((2_500_000 * planLimits.requestMs.background) / 1000);
  expect(bytes(2_500_000, 'launch')).toBe((2_500_000 * planLimits.requestMs.launch) / 1000);
  // Three of them fill a link with a long round trip.
  expect(bytes(2_500_000, 'background', 600)).toBe(750_000);
  expect(bytes(1e12)).toBe(planLimits.requestMaxBytes);
});

test('whole files: one request a blob', () => {
  const one = blob(ten, false);
  const demands = [want(one, 3, run(one, 3)), want(one, 7)];
  expect(plan({ demands, wholeFiles: true })).toMatchObject({ start: 0, end: one.length });
  const flights = [flight(one, 'demand', one.stored(5).start, one.length)];
  expect(plan({ demands, flights, wholeFiles: true })).toBeUndefined();
  expect(plan({ background: [one], wholeFiles: true })).toMatchObject({
    start: 0,
    end: one.length,
    kind: 'background',
  });
});

/**
 * A link that answers in any order, over images of any shape: nothing is asked for twice, no request is longer than it may be,
 * readers are served, and in the end everything is here.
 */
for (let seed = 1; seed <= 20; seed++) {
  test(`everything is planned, once (${seed})`, () => {
    const random = seededRandom(seed);
    const upTo = (n: number): number => Math.floor(random() * n);
    const wholeFiles = seed % 10 === 0;
    const blobs = Array.from({ length: 1 + upTo(4) }, () =>
      blob(
        Array.from({ length: 1 + upTo(60) }, () => 1 + upTo(random() < 0.03 ? 1 << 20 : 20_000)),
        false,
      ),
    );
    interface Running extends FlightView<TestBlob> {
      position: number;
      remaining: number;
      readonly start: number;
    }
    const flights: Running[] = [];
    let demands: Demand<TestBlob>[] = [];
    const fetched = new Map(blobs.map((one) => [one, new Uint8Array(one.length)]));
    for (let step = 0; blobs.some((one) => !one.complete); step++) {
      expect(step, 'it comes to an end').toBeLessThan(5000);
      if (random() < 0.3) {
        const of = blobs[upTo(blobs.length)]!;
        const block = upTo(of.blockCount);
        if (!of.isHere(block) && !demands.some((one) => one.blob === of && one.block === block)) {
          demands.push(want(of, block, random() < 0.7 ? run(of, block) : undefined));
        }
      }
      for (;;) {
        const request = plan({
          demands,
          flights,
          background: blobs,
          wholeFiles,
          rate: 1e6,
          latencyMs: upTo(200),
        });
        if (!request) break;
        const { blob: of, start, end, kind } = request;
        expect(start).toBeGreaterThanOrEqual(0);
        expect(start).toBeLessThan(end);
        expect(end).toBeLessThanOrEqual(of.length);
        const limit = kind === 'demand' ? planLimits.demandBytes : planLimits.requestMaxBytes;
        if (!wholeFiles) expect(end - start).toBeLessThanOrEqual(limit + of.tableLength + (1 << 20));
        const bytes = fetched.get(of)!;
        for (let at = start; at < end; at++) bytes[at] = bytes[at]! + 1;
        const partial = of.partial?.at === start ? of.stored(of.partial.block).start : undefined;
        if (partial !== undefined) of.partial = undefined;
        flights.push({ blob: of, kind, start, position: partial ?? start, end, remaining: end - start });
      }
      expect(flights.length + demands.length, 'somebody does something').toBeGreaterThan(0);
      // Some flight ends: what it brought is here. Blind ones (no table yet) have to wait for it.
      const able = flights.filter((one) => one.blob.tableKnown || one.start === 0);
      const done = able[upTo(able.length)];
      if (!done) continue;
      flights.splice(flights.indexOf(done), 1);
      const { blob: of } = done;
      if (done.start === 0) of.tableKnown = true;
      for (let block = 0; block < of.blockCount; block++) {
        const { start, end } = of.stored(block);
        if (done.position <= start && end <= done.end) of.here.add(block);
        else if (done.position <= start && start < done.end && !of.isHere(block))
          of.partial = { block, at: done.end };
      }
      demands = demands.filter((one) => !one.blob.isHere(one.block));
    }
    expect(demands).toEqual([]);
    for (const bytes of fetched.values()) expect(bytes.every((count) => count === 1)).toBe(true);
  });
}
