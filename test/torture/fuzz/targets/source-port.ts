import type { BlockSource } from '../../../../src/protocol/block-source.ts';
import { isFromSource, isToSource, serveSource } from '../../../../src/protocol/source-port.ts';
import { PortSource } from '../../../../src/source/port-source.ts';
import { FakeEndpoint, turn } from '../fake-endpoint.ts';
import { fuzzTarget, must, refusal, shown } from '../fuzz-target.ts';

const file = { sha256: 'ab'.repeat(32), length: 1000 };

/** A page's own source and the loader that uses it: messages of either to the other. */
export const sourcePort = fuzzTarget<unknown>({
  name: "a page's source ⇄ loader",
  maxArrayBytes: 1024 * 1024,
  seeds: async () => [
    { type: 'source-next', id: 1, stream: 1, request: { file, start: 10, end: 500, priority: 'high' } },
    { type: 'source-cancel', stream: 1 },
    { type: 'source-chunk', id: 1, chunk: { offset: 10, bytes: new Uint8Array(490) }, wholeFiles: false },
    { type: 'source-chunk', id: 1, chunk: undefined, wholeFiles: true },
    {
      type: 'source-failed',
      id: 1,
      error: { code: 'bad-origin', message: 'm' },
      retryable: true,
      retryAfterMs: 5,
    },
  ],
  mutate: (message, mutator) => mutator.value(message),
  async run(message) {
    const served = new FakeEndpoint();
    const end = serveSource(source, served);
    served.deliver(message);
    const asked = new FakeEndpoint();
    const loader = new PortSource({ port: asked, stallMs: 10_000 });
    const request = {
      file,
      start: 10,
      end: 500,
      priority: 'high',
      signal: new AbortController().signal,
    } as const;
    const chunks = loader.fetch(request);
    const first = chunks.next();
    asked.deliver(message);
    asked.deliver({
      type: 'source-failed',
      id: 1,
      error: { code: 'offline', message: 'enough' },
      retryable: false,
    });
    let outcome: string;
    try {
      const { value } = await first;
      if (value)
        must(value.offset <= 10 && value.offset + value.bytes.length <= 1000, () => 'a chunk of the file');
      outcome = value ? 'chunk' : 'end';
    } catch (error) {
      outcome = refusal(error);
    }
    await turn();
    end();
    loader.close();
    return `${isToSource(message)} ${isFromSource(message)} ${outcome} ${(served.sent[0] as { type?: string })?.type}`;
  },
  show: shown,
});

const source: BlockSource = {
  wholeFiles: false,
  async *fetch({ start, end }) {
    if (end <= start || end > file.length) return;
    yield { offset: start, bytes: new Uint8Array(end - start) };
  },
};
