import { columns } from '../../bench/columns.ts';
import { BrowserProfile, type Engine } from '../support/browser-profile.ts';
import { type Outcome, runSchedule } from './run-schedule.ts';
import { inWords, type Schedule, scheduleOf } from './schedule.ts';
import { seededOptions, tortureTarget } from './target.ts';
import { TortureSites } from './torture-sites.ts';
import { type Visitor, visitorOf } from './visitor.ts';

/** A browser collects an origin's store for each schedule: a new one after so many. */
const perBrowser = 20;
/** So often a schedule is begun in which the browser itself crashes. */
const maxTries = 3;

export const schedules = tortureTarget({
  summary: 'random mixtures of faults over launches to completion, in Chromium or Firefox',
  options: {
    ...seededOptions(200, 'schedules'),
    firefox: { default: 0, means: '1: in Firefox' },
  },
  run: async ({ runs, seed, firefox }) => {
    await using sites = new TortureSites();
    await using browser = new FreshBrowser(firefox === 1 ? 'firefox' : 'chromium');
    const outcomes: Outcome[] = [];
    for (let i = 0; i < runs; i++) {
      const outcome = await browser.run(scheduleOf(seed + i), sites);
      outcomes.push(outcome);
      const { wrong, ms, reads, failures, asked } = outcome;
      console.log(
        `${wrong.length === 0 ? 'right' : 'WRONG'}  seed ${seed + i}  ${(ms / 1000).toFixed(1)} s  ${reads} reads  ${JSON.stringify(failures)}${asked ? `  asked ${asked}` : ''}`,
      );
      if (wrong.length > 0) console.log(`  ${inWords(scheduleOf(seed + i))}\n  ${wrong.join('\n  ')}`);
    }
    print(outcomes, browser.crashes);
    return outcomes.every(({ wrong }) => wrong.length === 0);
  },
});

/** A new browser for every so many schedules, and where one has crashed. */
class FreshBrowser implements AsyncDisposable {
  readonly #engine: Engine;
  #profile: BrowserProfile | undefined;
  #visitor: Visitor | undefined;
  #schedules = 0;
  /** How often a browser ended that nobody had ended: its bug, and told as such. */
  crashes = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async run(schedule: Schedule, sites: TortureSites): Promise<Outcome> {
    for (let tries = 1; ; tries++) {
      if (this.#schedules >= perBrowser || !this.#profile?.isRunning) await this.#renew();
      this.#schedules += 1;
      try {
        return await runSchedule(schedule, sites, this.#visitor!);
      } catch (error) {
        if (this.#profile?.isRunning || tries === maxTries) throw error;
        this.crashes += 1;
        console.log(`the browser crashed  seed ${schedule.seed}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#profile?.remove();
  }

  async #renew(): Promise<void> {
    await this.#profile?.remove();
    this.#schedules = 0;
    this.#profile = await BrowserProfile.create(this.#engine);
    this.#visitor = await visitorOf(this.#profile);
  }
}

function print(outcomes: readonly Outcome[], crashes: number): void {
  const failures: Record<string, number> = {};
  for (const outcome of outcomes)
    for (const [code, count] of Object.entries(outcome.failures))
      failures[code] = (failures[code] ?? 0) + count;
  const most = (of: (outcome: Outcome) => number): number => Math.max(0, ...outcomes.map(of));
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((all, one) => all + of(one), 0);
  const wrong = outcomes.filter((outcome) => outcome.wrong.length > 0);
  console.log(
    columns(
      [
        ['schedules', String(outcomes.length)],
        ['wrong', String(wrong.length)],
        ['times that the browser itself crashed', String(crashes)],
        ['reads while things went wrong', String(sum(({ reads }) => reads))],
        ...Object.entries(failures).map(([code, count]) => [`  ended with ${code}`, String(count)]),
        ['slowest first byte, or error, s', (most((o) => o.slowestAnswerMs) / 1000).toFixed(1)],
        ['all files right after the mending, at most s', (most((o) => o.rightAfterMs) / 1000).toFixed(1)],
        ['launches that had to be asked for again', String(outcomes.filter(({ asked }) => asked > 0).length)],
      ],
      1,
    ),
  );
  if (wrong.length > 0) console.log(`seeds: ${wrong.map(({ seed }) => seed).join(' ')}`);
}
