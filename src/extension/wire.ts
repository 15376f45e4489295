/**
 * How messages cross between a panel in DevTools and the page that it inspects, where only text goes, one call at a time, and a call may be lost: values as
 * lines of JSON, lines cut into numbered pieces that are kept until the other side has said that it has them (as TCP does).
 */
export interface Wire {
  /**
   * A line of JSON, for what a message is made of: JSON's own, undefined, every number, and bytes as Uint8Array, Uint32Array or ArrayBuffer, in base64.
   * Throws a TypeError for all else.
   */
  toLine(value: unknown): string;
  fromLine(line: string): unknown;
  newSender(): Sender;
  newReceiver(onLine: (line: string) => void): Receiver;
}

/** Pieces of lines, the first with the number `first`; each line ends with a piece that ends with a line feed. */
export interface Pieces {
  readonly first: number;
  readonly pieces: readonly string[];
}

export interface Sender {
  /** Characters that the other side is not known to have. */
  readonly waiting: number;
  push(line: string): void;
  /** The first of what waits: at most so many characters, but one piece at least. */
  take(most: number): Pieces;
  /** The other side has all pieces before this number. */
  acknowledge(received: number): void;
}

export interface Receiver {
  /** The number of the next piece. */
  readonly received: number;
  /** What was there already is passed over. Throws a TypeError where some are missing in between. */
  receive(pieces: Pieces): void;
}

/**
 * Makes a {@link Wire}. It names nothing outside of itself: its text is also run in the inspected page.
 */
export function makeWire(): Wire {
  /** Marks an object that stands for something else; one of the message's own that has this field is written as its entries. */
  const mark = '$';
  const pieceLength = 2 ** 18;

  const toBase64 = (bytes: Uint8Array): string => {
    let text = '';
    for (let at = 0; at < bytes.length; at += 2 ** 15)
      text += String.fromCharCode(...bytes.subarray(at, at + 2 ** 15));
    return btoa(text);
  };

  const fromBase64 = (base64: string): Uint8Array<ArrayBuffer> => {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    return bytes;
  };

  /** As JSON.stringify calls it. What it is given is not the value itself where that has a way of its own to become JSON, as dates have. */
  function write(this: Readonly<Record<string, unknown>>, key: string): unknown {
    const value = this[key];
    switch (typeof value) {
      case 'undefined':
        return { [mark]: 'undefined' };
      case 'number':
        if (Object.is(value, -0)) return { [mark]: 'number', value: '-0' };
        return Number.isFinite(value) ? value : { [mark]: 'number', value: String(value) };
      case 'string':
      case 'boolean':
        return value;
    }
    if (value === null || Array.isArray(value)) return value;
    // Not by class: what comes from another realm has classes of its own.
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (kind === 'Object') {
      return Object.hasOwn(value as object, mark)
        ? { [mark]: 'entries', value: Object.entries(value as object) }
        : value;
    }
    if (kind === 'ArrayBuffer')
      return { [mark]: kind, value: toBase64(new Uint8Array(value as ArrayBuffer)) };
    if (kind === 'Uint8Array' || kind === 'Uint32Array') {
      const { buffer, byteOffset, byteLength } = value as Uint8Array | Uint32Array;
      return { [mark]: kind, value: toBase64(new Uint8Array(buffer, byteOffset, byteLength)) };
    }
    throw new TypeError(`a message for the inspector may not hold a ${kind}`);
  }

  const read = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map(read);
    if (!Object.hasOwn(value, mark)) return fromEntries(Object.entries(value));
    const { [mark]: kind, value: inside } = value as Record<string, unknown>;
    switch (kind) {
      case 'undefined':
        return undefined;
      case 'number':
        return Number(inside);
      case 'entries':
        return fromEntries(inside as [string, unknown][]);
      case 'Uint8Array':
        return fromBase64(inside as string);
      case 'Uint32Array':
        return new Uint32Array(fromBase64(inside as string).buffer);
      case 'ArrayBuffer':
        return fromBase64(inside as string).buffer;
    }
    throw new TypeError(`a message for the inspector holds an unknown ${String(kind)}`);
  };

  const fromEntries = (entries: [string, unknown][]): object =>
    Object.fromEntries(entries.map(([key, value]) => [key, read(value)]));

  const newSender = (): Sender => {
    let queue: string[] = [];
    let first = 0;
    let waiting = 0;
    return {
      get waiting() {
        return waiting;
      },
      push(line) {
        const text = `${line}\n`;
        for (let at = 0; at < text.length; at += pieceLength) queue.push(text.slice(at, at + pieceLength));
        waiting += text.length;
      },
      take(most) {
        let count = 0;
        for (let length = 0; count < queue.length; count++) {
          length += queue[count]!.length;
          if (length > most && count > 0) break;
        }
        return { first, pieces: queue.slice(0, count) };
      },
      acknowledge(received) {
        if (!(received > first)) return;
        const gone = queue.slice(0, received - first);
        queue = queue.slice(received - first);
        first += gone.length;
        waiting -= gone.reduce((sum, { length }) => sum + length, 0);
      },
    };
  };

  const newReceiver = (onLine: (line: string) => void): Receiver => {
    let next = 0;
    let parts: string[] = [];
    return {
      get received() {
        return next;
      },
      receive({ first, pieces }) {
        if (first > next) throw new TypeError('pieces of messages for the inspector are missing');
        for (const piece of pieces.slice(Math.max(0, next - first))) {
          next += 1;
          parts.push(piece);
          if (!piece.endsWith('\n')) continue;
          const line = parts.join('');
          parts = [];
          onLine(line);
        }
      },
    };
  };

  return {
    toLine: (value) => JSON.stringify(value, write),
    fromLine: (line) => read(JSON.parse(line)),
    newSender,
    newReceiver,
  };
}
