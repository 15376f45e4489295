import { judgeAnswer } from '../../../../src/source/answer.ts';
import { isExactContentRange } from '../../../../src/source/content-range.ts';
import { parseRetryAfter } from '../../../../src/source/retry-after.ts';
import { fuzzTarget, must, refusal, shown } from '../fuzz-target.ts';

interface Answer {
  readonly status: number;
  readonly url: string;
  readonly redirected: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

const file = { sha256: 'ab'.repeat(32), length: 8192 };
const request = {
  file,
  start: 100,
  end: 4196,
  priority: 'high',
  signal: new AbortController().signal,
} as const;
const words = [
  'bytes',
  ' ',
  '-',
  '/',
  '*',
  '0',
  '100',
  '4195',
  '8192',
  '01',
  'e',
  '+',
  '.0',
  'gzip',
  'GMT',
  '\t',
  ',',
];

const sound: Answer = {
  status: 206,
  url: `https://cdn.example/x/${file.sha256}.bin`,
  redirected: false,
  headers: {
    'content-range': 'bytes 100-4195/8192',
    'content-length': '4096',
    'content-type': 'application/octet-stream',
  },
};

/** What an origin answers: status, Content-Range, Content-Length, Retry-After, where it was redirected to. */
export const answers = fuzzTarget<Answer>({
  name: 'answers of an origin',
  maxArrayBytes: 64 * 1024,
  seeds: async () => [
    sound,
    { ...sound, redirected: true },
    { ...sound, status: 200, headers: { 'content-length': '8192' } },
    { ...sound, status: 429, headers: { 'retry-after': '3' } },
    { ...sound, status: 503, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } },
    { ...sound, headers: { ...sound.headers, 'content-encoding': 'gzip' } },
  ],
  mutate(input, mutator) {
    const name = mutator.pick([
      'content-range',
      'content-range',
      'content-length',
      'content-type',
      'retry-after',
      'content-encoding',
    ]);
    const headers = { ...input.headers, [name]: mutator.text(input.headers[name] ?? '', words) };
    const status =
      mutator.random() < 0.1 ? mutator.pick([200, 206, 304, 404, 416, 429, 500, 599]) : input.status;
    const url =
      mutator.random() < 0.1
        ? `https://cdn.example/${encodeURI(mutator.text('x', words).toWellFormed())}`
        : input.url;
    return { ...input, status, headers, url };
  },
  run({ headers, ...head }) {
    const get = (name: string): string | null => headers[name] ?? null;
    const after = parseRetryAfter(get('retry-after'), 0);
    must(after === undefined || after >= 0, () => 'one waits forwards');
    const exact = isExactContentRange(get('content-range'), request.start, request.end, file.length);
    try {
      const { kind } = judgeAnswer({ ...head, headers: { get } }, request, 0);
      must(kind !== 'partial' || exact, () => 'a part that is taken is the one that was asked for');
      return `${kind} ${exact} ${after === undefined}`;
    } catch (error) {
      return refusal(error);
    }
  },
  show: shown,
});
