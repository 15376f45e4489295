import { asSluiceError, isCode, type SluiceError } from '../../format/errors.ts';
import { Image } from '../../image/image.ts';
import type { LoaderService } from '../../loader/loader-service.ts';
import type { Clock } from '../../protocol/clock.ts';
import { withDeadline } from '../../protocol/deadline.ts';
import { WakeableWait } from '../../protocol/wakeable-wait.ts';
import type { InspectorHome } from '../home.ts';
import { Session } from '../model/session.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { LeaderLink } from './leader-link.ts';

/** The time between two questions; a leader that takes long for its answers is asked less often. */
const intervalMs = { least: 250, most: 5000 };
const answerShare = 10;
/** After questions without an answer. */
const backOffMs = [500, 1000, 2000, 4000] as const;
/** Web Locks answer within milliseconds, or through a bridge that may be gone. */
const locksMs = 3000;

/** How the panel fares with the site that it looks at. */
export type PollState =
  | { readonly kind: 'searching' }
  /** No loader of the site runs. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'live' }
  /** It is asked again. */
  | { readonly kind: 'failing'; readonly error: SluiceError };

export interface PollerOptions {
  readonly home: InspectorHome;
  readonly scope: string;
  readonly clock: Clock;
  /** There is a new snapshot, or a new state. */
  readonly onChange: () => void;
}

/** Asks the leader of one site for as long as it is awake, and has the newest snapshot. */
export class Poller {
  readonly #options: PollerOptions;
  readonly #link: LeaderLink;
  #image: string | undefined;
  #session: Session | undefined;
  #snapshot: Snapshot | undefined;
  #state: PollState = { kind: 'searching' };
  #failures = 0;
  /** How long the leader took for the last answer. */
  #answerMs = 0;
  /** The answer that is waited for may be older than what is to be seen. */
  #isPoked = false;
  #awake = false;
  #closed = false;
  #running = false;
  /** Between two questions. */
  readonly #pause: WakeableWait;

  constructor(options: PollerOptions) {
    this.#options = options;
    this.#pause = new WakeableWait(options.clock);
    this.#link = new LeaderLink({ ...options, onLeader: () => this.#askSoon() });
  }

  get scope(): string {
    return this.#options.scope;
  }

  /** Undefined before the first answer; then the last one, however old. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  get state(): PollState {
    return this.#state;
  }

  /** The image that is looked at; undefined: the one that was mounted last. */
  get image(): string | undefined {
    return this.#image;
  }

  set image(image: string | undefined) {
    if (image === this.#image) return;
    this.#image = image;
    this.poke();
  }

  /** Nobody looks while it is not awake, so nothing is asked. */
  set awake(awake: boolean) {
    this.#awake = awake;
    if (awake && !this.#running) void this.#run();
    else this.#pause.wake();
  }

  /** Asks at once, and once more where a question is under way: something was done whose outcome is to be seen. */
  poke(): void {
    this.#isPoked = true;
    this.#askSoon();
  }

  /** Does the work with the leader's service; see LeaderLink.use. */
  use<T>(name: string, work: (service: LoaderService) => Promise<T>): Promise<T> {
    return this.#link.use(name, work);
  }

  close(): void {
    this.#closed = true;
    this.#pause.wake();
    this.#link.close();
  }

  /** As soon as no question is under way. */
  #askSoon(): void {
    this.#failures = 0;
    this.#pause.wake();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#awake && !this.#closed) {
      this.#isPoked = false;
      const state = await this.#ask();
      if (this.#closed) break;
      this.#failures = state.kind === 'live' ? 0 : this.#failures + 1;
      this.#state = state;
      this.#options.onChange();
      if (this.#awake && !this.#isPoked) await this.#pause.wait(this.#pauseMs());
    }
    this.#running = false;
  }

  #pauseMs(): number {
    if (this.#failures > 0) return backOffMs[Math.min(this.#failures, backOffMs.length) - 1]!;
    return Math.min(Math.max(intervalMs.least, this.#answerMs * answerShare), intervalMs.most);
  }

  async #ask(): Promise<PollState> {
    try {
      if (!this.#link.leader && !(await this.#isLed())) return { kind: 'nobody' };
      this.#snapshot = await this.#link.use('inspect', (service) => this.#inspect(service));
      return { kind: 'live' };
    } catch (error) {
      if (this.#closed) return this.#state;
      // A leader that was killed says nothing; its lock does.
      const led = await this.#isLed().catch(() => true);
      if (!led) {
        this.#link.gone();
        return { kind: 'nobody' };
      }
      if (isCode(error, 'call-timeout')) this.#link.forget();
      return { kind: 'failing', error: asSluiceError(error) };
    }
  }

  async #inspect(service: LoaderService): Promise<Snapshot> {
    const image = this.#image;
    const known = this.#session;
    const cursor = known && (image === undefined || known.image.id === image) ? known.cursor : undefined;
    const { clock } = this.#options;
    const asked = clock.now();
    const inspection = await service.inspect({ image, cursor });
    this.#answerMs = clock.now() - asked;
    const { image: id } = inspection.state;
    if (known?.image.id === id) return known.add(inspection);
    const bootstrap = await service.readBootstrap(id);
    const session = new Session(this.scope, await Image.open(bootstrap, { sha256: id }));
    this.#session = session;
    // What was told against the cursor of another image is not all.
    return session.add(cursor ? await service.inspect({ image: id, cursor: undefined }) : inspection);
  }

  #isLed(): Promise<boolean> {
    return withDeadline('The list of Web Locks', this.#link.isLed(), locksMs, this.#options.clock);
  }
}
