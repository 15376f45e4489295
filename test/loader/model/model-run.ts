import type { TwinNode } from '../../image/twin-tree.ts';
import { twinListing } from '../../image/twin-tree.ts';
import { noise } from '../../support/random.ts';
import { MountRig, type Outcome } from './mount-rig.ts';
import { RandomTree } from './random-tree.ts';
import { type MadeBy, MadeFile, TwinMount, twinReaddir } from './twin-mount.ts';

/** A read that may wait: what it must end with is known as soon as the twin knows. */
interface WaitingRead {
  readonly path: string;
  readonly node: TwinNode;
  readonly start: number;
  readonly end: number;
  /** Of the rig's clock. */
  readonly deadline: number;
  readonly abort: AbortController;
  ended: Outcome<Uint8Array> | undefined;
}

const forever = 1e9;
const closedCode = 'closed';
/** By then most of what was published is removed. */
const stepsOfAVisitor = 1500;

/** A mount and its twin, driven by chance from one seed. Every method throws where they differ. */
export class ModelRun implements AsyncDisposable {
  readonly counts = new Map<string, number>();
  /** The last changes, for the message of a failure. */
  readonly trail: string[] = [];
  readonly #rig: MountRig;
  readonly #twin: { current: TwinMount };
  readonly #random: RandomTree;
  readonly #published: ReadonlyMap<string, Uint8Array>;
  #waiting: WaitingRead[] = [];
  #inodes = new Map<TwinNode, number>();
  /** Blocks of published files that were flushed. */
  #kept = new Map<string, readonly { start: number; end: number }[]>();
  #lastSerial = 0;
  #steps = 0;

  private constructor(
    rig: MountRig,
    twin: { current: TwinMount },
    tree: RandomTree,
    published: ReadonlyMap<string, Uint8Array>,
  ) {
    this.#rig = rig;
    this.#twin = twin;
    this.#random = tree;
    this.#published = published;
  }

  static async start(seed: number): Promise<ModelRun> {
    const published = publishedFiles(seed);
    const twin = { current: new TwinMount() };
    for (const [path, bytes] of published) twin.current.publish(path, bytes);
    const tree = new RandomTree(seed, () => twin.current);
    const rig = await MountRig.start(published, (n) => tree.below(n));
    return new ModelRun(rig, twin, tree, published);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rig[Symbol.asyncDispose]();
  }

  /** One operation, and what it says beside what the twin says. */
  async step(): Promise<void> {
    this.#random.next();
    const dice = this.#random.below(1000);
    this.#steps += 1;
    if (this.#steps % stepsOfAVisitor === 0) await this.#startAnew();
    else if (dice < 400) await this.#change(dice < 30 ? 2 + this.#random.below(4) : 1);
    else if (dice < 520) await this.#provide();
    else if (dice < 540) await this.#providePublished();
    else if (dice < 760) await this.#read();
    else if (dice < 800) await this.#stat();
    else if (dice < 840) await this.#readdir();
    else if (dice < 880) await this.#filled();
    else if (dice < 930) await this.#pass();
    else if (dice < 950) this.#withdraw();
    else if (dice < 965) await this.#flush();
    else if (dice < 980) await this.#state();
    else if (dice < 988) await this.#switchNetwork();
    else if (dice < 990) await this.#prefetch();
    else if (dice < 994) await this.compare();
    else if (dice < 996) await this.#evict();
    else if (dice < 997) await this.#scrub();
    else if (dice < 999) await this.#remount();
    else await this.#crash([]);
    await this.#settleWaiting();
  }

  /** The whole tree. */
  async compare(): Promise<void> {
    const differs = await this.#difference(this.#twin.current);
    if (differs !== undefined) throw new Error(`The trees differ: ${differs}`);
  }

  // ——— changes ———

  async #change(count: number): Promise<void> {
    const asked = Array.from({ length: count }, () => this.#random.change());
    const outcomes = await this.#outcomes(asked);
    for (const [i, made] of asked.entries()) this.#remember(textOf(made), outcomes[i]!);
    if (this.#rig.crashed) {
      await this.#crash(asked, this.#heldOf(asked, outcomes));
      return;
    }
    for (const [i, made] of asked.entries()) {
      const { operation } = made;
      const outcome = outcomes[i]!;
      if ('code' in outcome && outcome.code === 'ENOSPC' && this.#rig.mayBeFull) {
        this.#count('ENOSPC');
        // Of several directories some may have been made.
        if (operation.type === 'mkdir') await this.#adoptDirectories(operation.path);
        continue;
      }
      const code = this.#twin.current.apply(made);
      this.#expectCode(textOf(made), outcome, code);
      this.#count(code ?? operation.type);
    }
    for (const { operation } of asked) await this.#checkPlace(operation.path);
  }

  /** How many of the changes must have been made: up to the last that was answered, and had anything to write. */
  #heldOf(asked: readonly MadeBy[], outcomes: readonly Outcome<void>[]): number {
    const after = this.#twin.current.clone();
    let held = 0;
    for (const [i, made] of asked.entries()) {
      const { type, path } = made.operation;
      // A recursive mkdir of what is there is done at once, whatever becomes of the changes before it.
      const isThere = this.#twin.current.lookup(path) ?? after.lookup(path);
      after.apply(made);
      if ('value' in outcomes[i]! && !(type === 'mkdir' && isThere)) held = i + 1;
    }
    return held;
  }

  #outcomes(asked: readonly MadeBy[]): Promise<Outcome<void>[]> {
    return Promise.all(asked.map(({ operation }) => this.#rig.outcome(this.#rig.change(operation))));
  }

  async #adoptDirectories(path: string): Promise<void> {
    const parts = path.split('/').filter((name) => name !== '');
    for (let depth = 1; depth <= parts.length; depth++) {
      const part = parts.slice(0, depth).join('/');
      const found = await this.#rig.outcome(this.#rig.service.stat(this.#rig.image, part));
      if ('value' in found && this.#twin.current.lookup(part) === undefined)
        this.#twin.current.apply({ operation: { type: 'mkdir', path: part, recursive: false }, seed: 0 });
    }
  }

  /** What is at the path, and in the directory that it is in. */
  async #checkPlace(path: string): Promise<void> {
    await this.#stat(path);
    await this.#readdir(path.slice(0, Math.max(0, path.lastIndexOf('/'))));
  }

  // ——— blocks ———

  async #provide(): Promise<void> {
    const path = this.#random.known('file');
    const node = this.#twin.current.lookup(path);
    const file = node?.data;
    const blocks = file instanceof MadeFile ? file.blockCount : 3;
    const odd = this.#random.below(20) === 0;
    const missing = file instanceof MadeFile ? firstMissing(file, this.#random.below(8)) : undefined;
    const block = odd
      ? this.#random.pick([blocks, blocks + 1, -1, -2, 1.5, Number.NaN])
      : (missing ?? this.#random.below(Math.max(1, Math.min(blocks, 64))));
    const isBlock = Number.isInteger(block) && block >= 0 && block < blocks;
    const right = file instanceof MadeFile && isBlock ? file.block(block) : noise(1, 4096);
    const shift = this.#random.below(20) === 0 ? this.#random.pick([-1, 1]) : 0;
    const bytes = shift === 0 ? right : noise(2, right.length + shift);
    let code: string | undefined;
    if (node === undefined) code = 'ENOENT';
    else if (node.entries !== undefined) code = 'EISDIR';
    else if (!(file instanceof MadeFile)) code = 'EINVAL';
    else if (!isBlock) code = 'ERANGE';
    else if (!file.present.has(block)) code = shift === 0 ? undefined : shift > 0 ? 'E2BIG' : 'EINVAL';
    if (code === undefined && file instanceof MadeFile) file.asked.add(block);
    const given = this.#rig.service.provideBlocks(this.#rig.image, [{ path, block, bytes }]);
    const outcome = await this.#rig.outcome(given);
    if (this.#rig.crashed) return this.#crash([]);
    if ('code' in outcome && outcome.code === 'ENOSPC' && this.#rig.mayBeFull) return this.#count('ENOSPC');
    this.#expectCode(`provide ${path} ${block}`, outcome, code);
    if (code === undefined && file instanceof MadeFile) file.present.add(block);
    this.#count(`provide ${code ?? ''}`);
  }

  /** Wrong bytes for a published blob: they never become readable. */
  async #providePublished(): Promise<void> {
    if (this.#rig.network !== 'up') return;
    const blob = this.#random.pick([0, 0, 1, 10_000]);
    const block = this.#random.pick([-1, 0, 1, 100_000]);
    const bytes = new Uint8Array(this.#random.pick([1, 100, 2 ** 21]));
    const given = this.#rig.service.provideBlocks(this.#rig.image, [{ blob, block, bytes }]);
    const outcome = await this.#rig.outcome(given);
    if (this.#rig.crashed) return this.#crash([]);
    const allowed =
      blob === 10_000
        ? ['ENOENT']
        : block === 100_000
          ? ['ERANGE']
          : ['', 'EINVAL', 'E2BIG', 'integrity', 'ERANGE'];
    const code = 'code' in outcome ? outcome.code : '';
    if (!allowed.includes(code)) throw new Error(`provide blob ${blob} block ${block}: ${code}`);
    this.#count(`provide published ${code}`);
  }

  async #flush(): Promise<void> {
    const present = [...this.#madeFiles()].map((file) => [file, [...file.present]] as const);
    const published = await this.#filledPublished();
    const outcome = await this.#rig.outcome(this.#rig.service.flush());
    if (this.#rig.crashed) return this.#crash([]);
    this.#expectCode('flush', outcome, undefined);
    if (this.#rig.mayBeFull) return;
    for (const [file, blocks] of present) for (const block of blocks) file.durable.add(block);
    this.#kept = published;
    this.#count('flush');
  }

  async #filledPublished(): Promise<Map<string, readonly { start: number; end: number }[]>> {
    const filled = new Map<string, readonly { start: number; end: number }[]>();
    for (const path of this.#published.keys()) {
      const node = this.#twin.current.lookup(path);
      if (node?.data !== this.#published.get(path)) continue;
      filled.set(path, await this.#rig.service.filledRanges(this.#rig.image, path));
    }
    return filled;
  }

  // ——— reading ———

  async #read(): Promise<void> {
    const path = this.#random.known('file');
    const node = this.#twin.current.lookup(path);
    const size = node?.size ?? 10;
    const whole = size < 2 ** 20 && this.#random.below(4) === 0;
    const start = whole
      ? 0
      : Math.max(0, this.#random.pick([0, size - 5, this.#random.below(size + 1), size, size + 10]));
    const length = this.#random.pick([
      0,
      1,
      100,
      5000,
      this.#random.below(20_000),
      this.#random.below(20_000),
    ]);
    const odd = this.#random.below(40) === 0;
    const end = odd
      ? this.#random.pick([start - 1, Number.NaN])
      : whole
        ? Number.MAX_SAFE_INTEGER
        : start + length;
    const timeoutMs = this.#random.pick([0, 0, 1 + this.#random.below(300), forever]);
    let code: string | undefined;
    if (node === undefined) code = 'ENOENT';
    else if (node.entries !== undefined) code = 'EISDIR';
    else if (!(end >= start)) code = 'ERANGE';
    if (code === undefined) {
      if (node!.data instanceof MadeFile) return this.#readMade(path, node!, start, end, timeoutMs);
      return this.#readPublished(path, node!, start, end, timeoutMs);
    }
    const outcome = await this.#rig.outcome(this.#ask(path, start, end, timeoutMs));
    if (this.#rig.crashed) return this.#crash([]);
    this.#expectCode(`read ${path} [${start}, ${end})`, outcome, code);
    this.#count(`read ${code}`);
  }

  async #readMade(
    path: string,
    node: TwinNode,
    start: number,
    end: number,
    timeoutMs: number,
  ): Promise<void> {
    const file = node.data as MadeFile;
    const missing = file.blocksOf(start, end).filter((block) => !file.present.has(block));
    if (missing.length > 0 && timeoutMs > 0) {
      // A reader waits for eight blocks at once; what it waits for behind those has a later deadline.
      if (file.blocksOf(start, end).length <= 8) await this.#begin(path, node, start, end, timeoutMs);
      return;
    }
    const outcome = await this.#rig.outcome(this.#ask(path, start, end, timeoutMs));
    if (this.#rig.crashed) return this.#crash([]);
    const code = missing.length > 0 ? 'read-timeout' : undefined;
    this.#expectCode(`read ${path} [${start}, ${end})`, outcome, code);
    if ('value' in outcome) expectBytes(path, outcome.value, file.slice(start, end));
    this.#count(`read made ${code ?? ''}`);
  }

  async #readPublished(
    path: string,
    node: TwinNode,
    start: number,
    end: number,
    timeoutMs: number,
  ): Promise<void> {
    const bytes = node.data as Uint8Array;
    const isHere = covers(
      await this.#rig.service.filledRanges(this.#rig.image, path),
      start,
      Math.min(end, bytes.length),
    );
    const { network } = this.#rig;
    if (!isHere && network === 'hung' && timeoutMs > 0) return this.#begin(path, node, start, end, timeoutMs);
    // A small timeout may pass before a real server answers.
    const timeout = isHere || timeoutMs === 0 ? timeoutMs : forever;
    const outcome = await this.#rig.outcome(this.#ask(path, start, end, timeout));
    if (this.#rig.crashed) return this.#crash([]);
    const code = 'code' in outcome ? outcome.code : undefined;
    const allowed = isHere
      ? [undefined]
      : timeout === 0
        ? ['read-timeout', undefined]
        : network === 'down'
          ? ['offline']
          : [undefined];
    if (!allowed.includes(code))
      throw new Error(`read ${path} [${start}, ${end}) with ${timeout} ms, network ${network}: ${code}`);
    if ('value' in outcome) expectBytes(path, outcome.value, bytes.slice(start, end));
    this.#count(`read published ${code ?? ''}`);
  }

  #ask(
    path: string,
    start: number,
    end: number,
    timeoutMs: number,
    abort = new AbortController(),
  ): Promise<Uint8Array> {
    return this.#rig.service.read(this.#rig.image, path, start, end, timeoutMs, abort.signal);
  }

  async #begin(path: string, node: TwinNode, start: number, end: number, timeoutMs: number): Promise<void> {
    if (this.#waiting.length > 20) return;
    const abort = new AbortController();
    const deadline = this.#rig.now() + timeoutMs;
    const read: WaitingRead = { path, node, start, end, deadline, abort, ended: undefined };
    this.#waiting.push(read);
    const asked = this.#rig.settled(this.#ask(path, start, end, timeoutMs, abort));
    void asked.then((outcome) => {
      read.ended = outcome;
    });
    await this.#rig.turn();
    this.#count('read that waits');
  }

  /** What the twin says that it ends with now; undefined: it goes on waiting. '' stands for its bytes. */
  #due(read: WaitingRead): readonly string[] | undefined {
    const { node, deadline } = read;
    const late = this.#rig.now() >= deadline ? ['read-timeout'] : [];
    if (read.abort.signal.aborted) return ['withdrawn'];
    if (!(node.data instanceof MadeFile)) {
      if (this.#rig.network === 'up') return ['', ...late];
      return late.length > 0 ? late : undefined;
    }
    const file = node.data;
    if (file.blocksOf(read.start, read.end).every((block) => file.present.has(block))) return ['', ...late];
    if (node.links === 0) return ['ENOENT', ...late];
    return late.length > 0 ? late : undefined;
  }

  /** Those that must have ended have, rightly, and the others wait. */
  async #settleWaiting(): Promise<void> {
    const rest: WaitingRead[] = [];
    for (const read of this.#waiting) {
      const due = this.#due(read);
      if (due === undefined) {
        if (read.ended !== undefined)
          throw new Error(`read ${read.path} ended too early: ${JSON.stringify(read.ended)}`);
        rest.push(read);
        continue;
      }
      const outcome = await this.#rig.outcome(this.#endOf(read));
      if (!('value' in outcome)) throw new Error('unreachable');
      const { value: ended } = outcome;
      const code = 'code' in ended ? ended.code : '';
      if (!due.includes(code) && !(code === 'read-timeout' && this.#rig.now() >= read.deadline))
        throw new Error(`read ${read.path} [${read.start}, ${read.end}) ended with ${code}, not ${due}`);
      if ('value' in ended) expectBytes(read.path, ended.value, contentOf(read.node, read.start, read.end));
      this.#count(`waited ${code}`);
    }
    this.#waiting = rest;
  }

  async #endOf(read: WaitingRead): Promise<Outcome<Uint8Array>> {
    while (read.ended === undefined) await this.#rig.turn();
    return read.ended;
  }

  #withdraw(): void {
    if (this.#waiting.length === 0) return;
    const reason = Object.assign(new Error('Nobody wants it any more'), { code: 'withdrawn' });
    const read = this.#random.pick(this.#waiting);
    if (read.ended === undefined) read.abort.abort(reason);
  }

  async #stat(path = this.#random.known()): Promise<void> {
    const node = this.#twin.current.lookup(path);
    const outcome = await this.#rig.outcome(this.#rig.service.stat(this.#rig.image, path));
    this.#expectCode(`stat ${path}`, outcome, node === undefined ? 'ENOENT' : undefined);
    if (node === undefined || !('value' in outcome)) return;
    const { value } = outcome;
    const found = `${value.kind} ${value.size} ${value.links} ${(value.meta ?? []).join()}`;
    const kind = node.entries === undefined ? 'file' : 'directory';
    const wanted = `${kind} ${node.size} ${node.links} ${node.meta}`;
    if (found !== wanted) throw new Error(`stat ${path}: ${found}, not ${wanted}`);
    if (value.mime !== 'text/x' && node.data instanceof MadeFile)
      throw new Error(`${path} is of type ${value.mime}`);
    const inode = this.#inodes.get(node);
    if (inode === undefined) this.#inodes.set(node, value.inode);
    else if (inode !== value.inode) throw new Error(`${path} was inode ${inode} and is ${value.inode}`);
  }

  async #readdir(path = this.#random.known('directory')): Promise<void> {
    const node = this.#twin.current.lookup(path);
    const outcome = await this.#rig.outcome(this.#rig.service.readdir(this.#rig.image, path));
    const code = node === undefined ? 'ENOENT' : node.entries === undefined ? 'ENOTDIR' : undefined;
    this.#expectCode(`readdir ${path}`, outcome, code);
    if (!('value' in outcome) || node === undefined) return;
    const found = JSON.stringify(outcome.value);
    const wanted = JSON.stringify(twinReaddir(node));
    if (found !== wanted) throw new Error(`readdir ${path}: ${found}, not ${wanted}`);
  }

  async #filled(): Promise<void> {
    const path = this.#random.known('file');
    const node = this.#twin.current.lookup(path);
    const outcome = await this.#rig.outcome(this.#rig.service.filledRanges(this.#rig.image, path));
    const code = node === undefined ? 'ENOENT' : node.entries === undefined ? undefined : 'EISDIR';
    this.#expectCode(`filledRanges ${path}`, outcome, code);
    if (!('value' in outcome) || !(node?.data instanceof MadeFile)) return;
    const wanted = JSON.stringify(node.data.filled());
    if (JSON.stringify(outcome.value) !== wanted)
      throw new Error(`filledRanges ${path}: ${JSON.stringify(outcome.value)}, not ${wanted}`);
  }

  async #prefetch(): Promise<void> {
    if (this.#rig.network !== 'up') return;
    const path = this.#random.pick([...this.#published.keys()]);
    if (this.#twin.current.lookup(path)?.data !== this.#published.get(path)) return;
    const { signal } = new AbortController();
    const priority = this.#random.pick(['demand', 'launch', 'background'] as const);
    const outcome = await this.#rig.outcome(
      this.#rig.service.prefetch(this.#rig.image, [path], priority, signal),
    );
    if (this.#rig.crashed) return this.#crash([]);
    this.#expectCode(`prefetch ${path}`, outcome, undefined);
    const filled = await this.#rig.service.filledRanges(this.#rig.image, path);
    if (!covers(filled, 0, this.#published.get(path)!.length))
      throw new Error(`${path} was prefetched and is not here`);
    this.#count('prefetch');
  }

  /** Pending reads as the loader tells them. */
  async #state(): Promise<void> {
    await this.#rig.turn();
    const { pendingReads } = await this.#rig.service.state(this.#rig.image);
    const serials = pendingReads.map(({ serial }) => serial);
    const newest = Math.max(0, ...serials);
    const wanted = new Map<string, number>();
    for (const { node, start, end, ended } of this.#waiting) {
      if (!(node.data instanceof MadeFile) || ended !== undefined) continue;
      const inode = await this.#inodeOf(node);
      for (const block of node.data.blocksOf(start, end)) {
        const key = `${inode}/${block}`;
        if (!node.data.present.has(block)) wanted.set(key, (wanted.get(key) ?? 0) + 1);
      }
    }
    const told = new Map<string, number>();
    const { lowest, inodes } = await this.#firstPrivate();
    for (const { block, waiters } of pendingReads)
      if (block.blob >= lowest) told.set(`${block.blob - lowest + inodes}/${block.index}`, waiters);
    const sorted = (map: Map<string, number>): string => JSON.stringify([...map].sort());
    if (sorted(told) !== sorted(wanted))
      throw new Error(`pending reads ${sorted(told)}, not ${sorted(wanted)}`);
    if (new Set(serials).size < serials.length) throw new Error('Two pending reads have one serial');
    const { signal } = new AbortController();
    const later = await this.#rig.service.pendingReads(this.#rig.image, this.#lastSerial, 0, signal);
    const after = serials.filter((serial) => serial > this.#lastSerial);
    if (later.map(({ serial }) => serial).join() !== after.join())
      throw new Error('A poll tells other reads than the state');
    this.#lastSerial = Math.max(this.#lastSerial, newest);
    this.#count('state');
  }

  async #inodeOf(node: TwinNode): Promise<number> {
    const known = this.#inodes.get(node);
    if (known !== undefined) return known;
    for (const [path, found] of this.#twin.current.nodes()) {
      if (found !== node) continue;
      await this.#stat(path);
      return this.#inodes.get(node)!;
    }
    throw new Error('A file without a name has readers');
  }

  #privateBlobs: { lowest: number; inodes: number } | undefined;

  /** Where the numbers of blobs and inodes made at run time begin. */
  async #firstPrivate(): Promise<{ readonly lowest: number; readonly inodes: number }> {
    this.#privateBlobs ??= await this.#rig.counts();
    return this.#privateBlobs;
  }

  // ——— what happens to a mount ———

  async #pass(): Promise<void> {
    await this.#rig.pass(1 + this.#random.below(200));
    if (this.#rig.crashed) await this.#crash([]);
  }

  async #switchNetwork(): Promise<void> {
    this.#rig.network = this.#rig.network === 'up' ? this.#random.pick(['down', 'hung'] as const) : 'up';
    await this.#rig.turn();
  }

  async #remount(): Promise<void> {
    const present = [...this.#madeFiles()].map((file) => [file, [...file.present]] as const);
    const inOrder = await this.#rig.remount();
    await this.#allClosed();
    if (!inOrder) return this.#crash([]);
    if (!this.#rig.mayBeFull)
      for (const [file, blocks] of present) for (const block of blocks) file.durable.add(block);
    await this.#adoptBlocks();
    await this.compare();
    this.#count('remount');
  }

  /** Gives back what was published; what was made at run time stays. */
  async #evict(): Promise<void> {
    const paths = this.#random.below(3) === 0 ? [] : [this.#random.known('file')];
    const nodes = paths.map((path) => this.#twin.current.lookup(path));
    const code = nodes.includes(undefined)
      ? 'ENOENT'
      : nodes.some((node) => node?.entries)
        ? 'EISDIR'
        : undefined;
    const pinned = this.#random.below(4) === 0;
    if (pinned) await this.#pin(paths, true, code);
    this.#kept = new Map();
    const here = await this.#filledPublished();
    if (!this.#rig.crashed)
      await this.#expectDone('evict', this.#rig.service.evict(this.#rig.image, paths), code);
    if (this.#rig.crashed) return this.#crash([]);
    if (code === undefined) {
      const left = await this.#filledPublished();
      for (const [path, ranges] of here) {
        if (paths.length > 0 && !(pinned && paths.includes(path))) continue;
        const wanted = JSON.stringify(pinned ? ranges : this.#published.get(path)!.length > 0 ? [] : ranges);
        if (!this.#rig.mayBeFull && JSON.stringify(left.get(path)) !== wanted)
          throw new Error(
            `evict ${paths}${pinned ? ', pinned' : ''}: of ${path} ${JSON.stringify(left.get(path))} is left`,
          );
      }
    }
    if (pinned) await this.#pin(paths, false, code);
    if (this.#rig.crashed) return this.#crash([]);
    this.#count(`evict ${code ?? ''}`);
  }

  #pin(paths: readonly string[], pinned: boolean, code: string | undefined): Promise<void> {
    return this.#expectDone('pin', this.#rig.service.pin(this.#rig.image, paths, pinned), code);
  }

  /** A call that ends with the code, unless the disk was full or crashed. */
  async #expectDone(what: string, call: Promise<unknown>, code: string | undefined): Promise<void> {
    const outcome = await this.#rig.outcome(call);
    if (this.#rig.crashed || (this.#rig.mayBeFull && 'code' in outcome && outcome.code === 'ENOSPC')) return;
    this.#expectCode(what, outcome, code);
  }

  /** Whatever happened, nothing that is called present is wrong. */
  async #scrub(): Promise<void> {
    // It lets readers go first, however long they wait.
    if (this.#waiting.length > 0) return;
    const scrub = this.#rig.service.scrub(this.#rig.image, new AbortController().signal);
    const outcome = await this.#rig.outcome(scrub);
    if (this.#rig.crashed) return this.#crash([]);
    this.#expectCode('scrub', outcome, undefined);
    if ('value' in outcome && outcome.value.bad.length > 0)
      throw new Error(`Scrub found ${JSON.stringify(outcome.value.bad)}`);
    this.#count('scrub');
  }

  /** Readers of a mount that is closed hear so, unless their time was up before. */
  async #allClosed(): Promise<void> {
    for (const read of this.#waiting) {
      if (this.#rig.crashed) continue;
      const ended = await this.#endOf(read);
      const code = 'code' in ended ? ended.code : '';
      const isLate = code === 'read-timeout' && this.#rig.endedAt >= read.deadline;
      if (code !== closedCode && !isLate && !(this.#due(read) ?? []).includes(code))
        throw new Error(`read ${read.path} over the end of its mount: ${code}`);
    }
    this.#waiting = [];
  }

  /** Nothing that was made is left, and everything that was published is back. */
  async #startAnew(): Promise<void> {
    this.#waiting = [];
    await this.#rig.startAnew();
    this.#twin.current = new TwinMount();
    for (const [path, bytes] of this.#published) this.#twin.current.publish(path, bytes);
    this.#inodes = new Map();
    this.#kept = new Map();
    this.#lastSerial = 0;
    await this.compare();
    this.#count('start anew');
  }

  /** The disk stops. Of the changes that were under way any first few were made, those that held at least. */
  async #crash(underWay: readonly MadeBy[], held = 0): Promise<void> {
    this.#waiting = [];
    await this.#rig.crash();
    const differences: string[] = [];
    for (const twin of this.#candidates(underWay, held)) {
      const difference = await this.#difference(twin);
      if (difference === undefined) {
        this.#twin.current = twin;
        this.#inodes = new Map();
        await this.#adoptBlocks();
        await this.#checkKept();
        this.#count('crash');
        return;
      }
      differences.push(difference);
    }
    throw new Error(`After a crash during ${underWay.map(textOf)}: ${differences.join('; or ')}`);
  }

  *#candidates(underWay: readonly MadeBy[], held: number): Generator<TwinMount> {
    const twin = this.#twin.current;
    for (let count = held; count <= underWay.length; count++) {
      const made = twin.clone();
      for (const one of underWay.slice(0, count)) made.apply(one);
      yield made;
      const next = underWay[count]?.operation;
      if (next?.type !== 'mkdir' || !next.recursive) continue;
      // Directories are made one after the other.
      const names = next.path.replace(/^\//, '').split('/');
      for (let depth = 1; depth < names.length; depth++) {
        const some = made.clone();
        const path = names.slice(0, depth).join('/');
        if (some.apply({ operation: { ...next, path }, seed: 0 }) === undefined) yield some;
      }
    }
  }

  /** After a mount: what was durable is there, and nothing that nobody ever gave. */
  async #adoptBlocks(): Promise<void> {
    for (const [path, { data }] of this.#twin.current.nodes()) {
      if (!(data instanceof MadeFile)) continue;
      const ranges = await this.#rig.service.filledRanges(this.#rig.image, path);
      const found = new Set(ranges.flatMap(({ start, end }) => data.blocksOf(start, end)));
      for (const block of data.durable)
        if (!found.has(block)) throw new Error(`${path} has lost block ${block}`);
      for (const block of found)
        if (!data.asked.has(block)) throw new Error(`${path} has block ${block} that nobody gave`);
      for (const set of [data.present, data.durable]) {
        set.clear();
        for (const block of found) set.add(block);
      }
    }
  }

  async #checkKept(): Promise<void> {
    const now = await this.#filledPublished();
    for (const [path, ranges] of this.#kept) {
      const filled = now.get(path);
      if (filled === undefined) continue;
      for (const { start, end } of ranges)
        if (!covers(filled, start, end)) throw new Error(`${path} has lost [${start}, ${end})`);
    }
  }

  // ——— comparing ———

  async #difference(twin: TwinMount): Promise<string | undefined> {
    const wanted = twinListing(twin.root);
    const found = await this.#listing();
    for (const [path, text] of wanted)
      if (found.get(path) !== text) return `${path}: ${found.get(path)}, not ${text}`;
    for (const path of found.keys()) if (!wanted.has(path)) return `${path} is there`;
    return undefined;
  }

  async #listing(): Promise<Map<string, string>> {
    const { service, image } = this.#rig;
    const listing = new Map<string, string>();
    const visit = async (prefix: string): Promise<void> => {
      for (const { name, kind } of await service.readdir(image, prefix)) {
        const path = prefix + name;
        const { size, links, meta } = await service.stat(image, path);
        listing.set(kind === 'file' ? path : `${path}/`, `${size} ${links} ${(meta ?? []).join()}`);
        if (kind === 'directory') await visit(`${path}/`);
      }
    };
    await visit('');
    return listing;
  }

  *#madeFiles(): Generator<MadeFile> {
    for (const [, { data }] of this.#twin.current.nodes()) if (data instanceof MadeFile) yield data;
  }

  #expectCode(what: string, outcome: Outcome<unknown>, code: string | undefined): void {
    const got = 'code' in outcome ? outcome.code : undefined;
    if (got !== code) throw new Error(`${what}: ${got ?? 'done'}, not ${code ?? 'done'}`);
  }

  #remember(what: string, outcome: Outcome<unknown>): void {
    this.trail.push(`${what}: ${'code' in outcome ? outcome.code : 'done'}`);
    if (this.trail.length > 12) this.trail.shift();
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}

function publishedFiles(seed: number): Map<string, Uint8Array> {
  const text = (length: number): Uint8Array =>
    new TextEncoder().encode('A line of the app.\n'.repeat(length));
  const files = new Map<string, Uint8Array>([
    ['index.html', text(20)],
    ['app.js', text(3000)],
    ['empty', new Uint8Array(0)],
    ['data/level.pak', noise(seed, 700_000)],
    ['data/größe/one', noise(seed + 1, 100)],
    ['data/größe/two', text(10)],
    ['data/archive.zip', noise(seed + 2, 300_000)],
  ]);
  for (let i = 0; i < 10; i++) files.set(`assets/${i}.txt`, text(i * 7));
  return files;
}

function textOf({ operation }: MadeBy): string {
  const { type, path } = operation;
  const more = operation.type === 'link' ? ` of ${operation.existing}` : '';
  return `${type} ${path.length > 300 ? `${path.slice(0, 300)}…` : path}${more}`;
}

function contentOf({ data }: TwinNode, start: number, end: number): Uint8Array {
  return (data as MadeFile | Uint8Array).slice(start, end);
}

function expectBytes(path: string, got: Uint8Array, wanted: Uint8Array): void {
  if (Buffer.compare(got, wanted) !== 0)
    throw new Error(`${path}: ${got.length} bytes are not the ${wanted.length} right ones`);
}

function covers(ranges: readonly { start: number; end: number }[], start: number, end: number): boolean {
  return start >= end || ranges.some((range) => range.start <= start && end <= range.end);
}

/** The `n`-th block that is missing, counted round. */
function firstMissing({ present, blockCount }: MadeFile, n: number): number | undefined {
  const missing: number[] = [];
  for (let block = 0; block < Math.min(blockCount, 64); block++) if (!present.has(block)) missing.push(block);
  return missing[n % Math.max(1, missing.length)];
}
