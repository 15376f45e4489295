/** Headers of frames as RFC 6455 has them, for a relay that looks into the text of whole messages. */

/**
 * Cuts what one side of a WebSocket connection sends into its HTTP head and its frames.
 */
export class FrameReader {
  #bytes = Buffer.alloc(0);
  #inHead = true;
  #onHead;
  #onFrame;

  /**
   * @param {(head: string) => void} onHead
   * @param {(raw: Buffer, text: string | undefined) => void} onFrame text only of an unfragmented text message
   */
  constructor(onHead, onFrame) {
    this.#onHead = onHead;
    this.#onFrame = onFrame;
  }

  /** @param {Buffer} bytes */
  push(bytes) {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (this.#inHead) {
      const end = this.#bytes.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#inHead = false;
      const head = this.#bytes.toString('latin1', 0, end + 4);
      this.#bytes = this.#bytes.subarray(end + 4);
      this.#onHead(head);
    }
    for (let frame = readFrame(this.#bytes); frame; frame = readFrame(this.#bytes)) {
      this.#bytes = this.#bytes.subarray(frame.raw.length);
      this.#onFrame(frame.raw, frame.text);
    }
  }
}

/** Firefox closes the connection on one of zeros. */
const MASK = [0x53, 0x6c, 0x75, 0x69];

/**
 * @param {Buffer} payload changed in place
 * @param {Buffer} mask
 */
function applyMask(payload, mask) {
  for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i % 4];
}

/** @param {Buffer} bytes */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const masked = (bytes[1] & 0x80) !== 0;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + lengthBytes + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length =
    lengthBytes === 2 ? bytes.readUInt16BE(2) : lengthBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < start + length) return undefined;
  const raw = bytes.subarray(0, start + length);
  // 0x81: the only frame of a text message.
  if (bytes[0] !== 0x81) return { raw, text: undefined };
  const payload = Buffer.from(raw.subarray(start));
  if (masked) applyMask(payload, raw.subarray(start - 4, start));
  return { raw, text: payload.toString('utf8') };
}

/**
 * @param {string} text
 * @param {boolean} masked as a client's must be
 * @returns {Buffer}
 */
export function textFrame(text, masked) {
  const payload = Buffer.from(text, 'utf8');
  const { length } = payload;
  const short = length < 126 ? length : length < 65_536 ? 126 : 127;
  const extended = Buffer.alloc(short === 126 ? 2 : short === 127 ? 8 : 0);
  if (short === 126) extended.writeUInt16BE(length);
  if (short === 127) extended.writeBigUInt64BE(BigInt(length));
  const head = Buffer.from([0x81, short | (masked ? 0x80 : 0)]);
  const mask = Buffer.from(masked ? MASK : []);
  if (masked) applyMask(payload, mask);
  return Buffer.concat([head, extended, mask, payload]);
}
