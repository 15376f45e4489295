type Bytes = Uint8Array<ArrayBuffer>;

/** Numbers that stand at the edges of what formats hold. */
const edges = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  9,
  12,
  15,
  16,
  31,
  32,
  40,
  63,
  64,
  80,
  127,
  128,
  255,
  256,
  511,
  512,
  4095,
  4096,
  65535,
  65536,
  2 ** 20,
  2 ** 20 + 1,
  2 ** 24 - 1,
  2 ** 24,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 8,
  2 ** 32 - 1,
];

/** What no message should carry, and some that it may: each is made anew, for receivers may change it. */
const oddValues: readonly (() => unknown)[] = [
  () => undefined, () => null, () => true, () => false, () => '', () => [], () => ({}),
  () => Number.NaN, () => Number.POSITIVE_INFINITY, () => -1, () => -0, () => 0.5, () => 1e300,
  () => 2 ** 32, () => 2 ** 53 - 1, () => 2 ** 53, () => 2n ** 64n,
  () => '__proto__', () => 'constructor', () => '../..', () => '\0', () => '\ud800', () => 'x'.repeat(5000),
  () => 'ab'.repeat(32), () => new Uint8Array(0), () => new Uint8Array(40), () => new ArrayBuffer(8), () => new Map(),
  () => new Date(0), () => Array.from({ length: 300 }, (_, i) => i), () => JSON.parse('{"__proto__":{"type":"x"}}'),
  () => new DataView(new ArrayBuffer(1)), () => new Uint16Array(3), () => /x/,
]; // biome-ignore format: a table

/**
 * Damages inputs: bytes, texts, and values made of objects and arrays, as messages are. Everything comes from `random`, so a run is told by its
 * seed. One to four changes an input: many small steps from sound inputs, since what is all noise is refused by the first check.
 */
export class Mutator {
  readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!;
  }

  /** A number that a field might hold, or nearly. */
  number(): number {
    return this.random() < 0.6 ? this.pick(edges) : this.below(2 ** this.below(33));
  }

  /** Others: what stretches may be taken from. */
  bytes(input: Bytes, others: readonly Bytes[] = [input]): Bytes {
    let bytes = input.slice();
    for (let left = 1 + this.below(4); left > 0; left--) bytes = this.#damage(bytes, others);
    return bytes;
  }

  #damage(bytes: Bytes, others: readonly Bytes[]): Bytes {
    const at = this.below(bytes.length + 1);
    const length = Math.min(1 + this.below(2 ** this.below(9)), bytes.length - at);
    switch (this.below(13)) {
      case 0:
        return bytes.slice(0, at);
      case 1: // Cut out.
        return joined(bytes.subarray(0, at), bytes.subarray(at + length));
      case 2: // Doubled.
        return joined(bytes.subarray(0, at + length), bytes.subarray(at));
      case 3: {
        const other = this.pick(others);
        const from = this.below(other.length + 1);
        return joined(
          bytes.subarray(0, at),
          other.subarray(from, from + 1 + this.below(64)),
          bytes.subarray(at),
        );
      }
      case 4: {
        const noise = Uint8Array.from({ length: 1 + this.below(16) }, () => this.below(256));
        return joined(bytes.subarray(0, at), noise, bytes.subarray(at));
      }
      case 5:
        return bytes.fill(this.pick([0, 255, this.below(256)]), at, at + length);
      case 6:
        if (at < bytes.length) bytes[at]! ^= 1 << this.below(8);
        return bytes;
      case 7:
        if (at < bytes.length) bytes[at] = this.below(256);
        return bytes;
      default:
        return this.#setNumber(bytes, at);
    }
  }

  #setNumber(bytes: Bytes, at: number): Bytes {
    const size = this.pick([1, 2, 4, 4, 4, 8]);
    // Fields lie at multiples of their size, mostly.
    const place = this.random() < 0.8 ? at - (at % Math.min(size, 4)) : at;
    if (place + size > bytes.length) return bytes;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (size === 1) view.setUint8(place, this.number());
    else if (size === 2) view.setUint16(place, this.number(), true);
    else {
      const near = view.getUint32(place, true) + this.pick([-8, -4, -1, 1, 4, 8]);
      view.setUint32(place, this.random() < 0.3 ? near : this.number(), true);
      if (size === 8)
        view.setUint32(place + 4, this.pick([0, 0, 1, 2 ** 21 - 1, 2 ** 21, 2 ** 32 - 1]), true);
    }
    return bytes;
  }

  /** `words`: what the language is made of. */
  text(input: string, words: readonly string[]): string {
    let text = input;
    for (let left = 1 + this.below(4); left > 0; left--) {
      const at = this.below(text.length + 1);
      const length = this.below(2 ** this.below(6));
      const [before, middle, after] = [
        text.slice(0, at),
        text.slice(at, at + length),
        text.slice(at + length),
      ];
      const kind = this.below(8);
      if (kind === 0) text = before + after;
      else if (kind === 1) text = before + middle + middle + after;
      else if (kind === 2)
        text = before + this.pick(words).repeat(1 + this.below(2 ** this.below(12))) + after;
      else if (kind === 3)
        text = before + String.fromCharCode(this.below(this.pick([128, 256, 65536]))) + after;
      else if (kind === 4) text = before + this.number() + after;
      else text = before + this.pick(words) + middle + after;
    }
    // What repeats itself again and again is long enough.
    return text.slice(0, 20_000);
  }

  /** A copy with some of its parts lost, doubled, exchanged, or made into something else. */
  value<T>(input: T): T {
    const holder = { root: structuredClone(input) as unknown };
    for (let left = 1 + this.below(3); left > 0; left--) this.#alter(holder);
    return holder.root as T;
  }

  #alter(holder: { root: unknown }): void {
    const places = placesIn(holder as Record<string, unknown>);
    const { owner, key } = this.pick(places);
    const kind = this.below(8);
    if (kind === 0 && owner !== (holder as unknown)) delete owner[key];
    else if (kind === 1 && Array.isArray(owner)) owner.push(structuredClone(owner[0]));
    else if (kind === 2) {
      const other = this.pick(places);
      owner[key] = structuredClone(other.owner[other.key]);
    } else if (kind === 3) owner[key] = this.number();
    else if (kind === 4 && typeof owner[key] === 'string') {
      owner[key] = this.text(owner[key], ['/', '..', '\0', '%2e', 'a', '0']);
    } else owner[key] = this.pick(oddValues)();
  }
}

interface Place {
  readonly owner: Record<string, unknown>;
  readonly key: string;
}

/** Everything in it that can be another thing; bytes count as one. */
function placesIn(value: Record<string, unknown>): Place[] {
  return Object.entries(value).flatMap(([key, part]) => {
    const isNode =
      Array.isArray(part) ||
      (typeof part === 'object' && part !== null && Object.getPrototypeOf(part) === Object.prototype);
    return [
      { owner: value, key },
      ...(isNode ? placesIn(part as Record<string, unknown>).slice(0, 200) : []),
    ];
  });
}

export function joined(...parts: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
