#!/usr/bin/env node
// What Playwright starts in place of a stock Firefox: it starts the real one (SLUICE_FIREFOX, with the same
// arguments) and stands between the two on the WebDriver BiDi socket. Why there must be something in between:
//  - Playwright 1.65 asks for commands that Firefox 153 has not yet; here they are answered with nothing done;
//  - Firefox grants one session, and a test needs what Playwright's interface has not (stopping service workers):
//    an HTTP POST of { method, params } to the Unix socket SLUICE_FIREFOX_CONTROL is one more command of that session.
import { spawn } from 'node:child_process';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { FrameReader, textFrame } from './websocket-frames.mjs';

/** Commands of the specification that this Firefox answers with "unknown command". */
const UNKNOWN = new Set(['emulation.setMediaFeaturesOverride']);

/** Ids of our own commands; Playwright counts up from 1. */
let nextId = 2 ** 40;
/** @type {Map<number, (answer: string) => void>} */
const pending = new Map();
/** @type {((command: object) => void) | undefined} */
let send;

const browser = spawn(process.env.SLUICE_FIREFOX ?? 'firefox-esr', process.argv.slice(2), {
  stdio: ['ignore', 'inherit', 'pipe'],
});
browser.on('error', (error) => {
  console.error(`${error}`);
  process.exit(1);
});
browser.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP']))
  process.on(signal, () => browser.kill(signal));

createInterface({ input: browser.stderr }).on('line', (line) => {
  const port = /WebDriver BiDi listening on ws:\/\/[^:]+:(\d+)/.exec(line)?.[1];
  if (port) listen(Number(port));
  else console.error(line);
});

/** @param {number} target the port of Firefox */
function listen(target) {
  const server = createServer((client) => relay(client, connect(target, '127.0.0.1'), target));
  server.listen(0, '127.0.0.1', () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    console.error(`WebDriver BiDi listening on ws://127.0.0.1:${address.port}`);
  });
}

/**
 * @param {import('node:net').Socket} client Playwright
 * @param {import('node:net').Socket} firefox
 * @param {number} target
 */
function relay(client, firefox, target) {
  for (const [from, to] of [
    [client, firefox],
    [firefox, client],
  ]) {
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  }
  send = (command) => firefox.write(textFrame(JSON.stringify(command), true));
  const fromClient = new FrameReader(
    // Without extensions: a compressed frame could not be looked into.
    (head) =>
      firefox.write(
        head
          .replace(/^Host:.*$/im, `Host: 127.0.0.1:${target}`)
          .replace(/^Sec-WebSocket-Extensions:.*\r\n/im, ''),
      ),
    (raw, text) => {
      const answer = text === undefined ? undefined : ownAnswer(text);
      if (answer === undefined) firefox.write(raw);
      else client.write(textFrame(answer, false));
    },
  );
  const fromFirefox = new FrameReader(
    (head) => client.write(head),
    (raw, text) => {
      const id = text === undefined ? undefined : ownId(text);
      if (id === undefined) client.write(raw);
      else {
        pending.get(id)?.(text ?? '');
        pending.delete(id);
      }
    },
  );
  client.on('data', (bytes) => fromClient.push(bytes));
  firefox.on('data', (bytes) => fromFirefox.push(bytes));
}

/** @param {string} text @returns {string | undefined} what is answered without asking Firefox */
function ownAnswer(text) {
  const method = /"method":"([\w.]+)"/.exec(text)?.[1];
  if (!method || !UNKNOWN.has(method)) return undefined;
  const command = JSON.parse(text);
  return UNKNOWN.has(command.method)
    ? JSON.stringify({ type: 'success', id: command.id, result: {} })
    : undefined;
}

/** @param {string} text @returns {number | undefined} */
function ownId(text) {
  const id = Number(/"id":(\d{13,})\b/.exec(text)?.[1]);
  return pending.has(id) && JSON.parse(text).id === id ? id : undefined;
}

createHttpServer(async (request, response) => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  if (!send) {
    response.writeHead(503).end('no session yet');
    return;
  }
  const id = nextId++;
  pending.set(id, (answer) => response.end(answer));
  send({ id, ...JSON.parse(body) });
}).listen(process.env.SLUICE_FIREFOX_CONTROL);
