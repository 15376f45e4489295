/** The part of a whole answer that the request's one range names; the answer as it is for requests without one. */
export async function answerRange(
  request: Request,
  whole: Response | undefined,
): Promise<Response | undefined> {
  const match = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('Range') ?? '');
  if (!match || whole === undefined || whole.status !== 200) return whole;
  const body = await whole.blob();
  const start = Number(match[1]);
  const end = match[2] === '' ? body.size : Math.min(body.size, Number(match[2]) + 1);
  if (start >= end) {
    return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${body.size}` } });
  }
  const headers = new Headers(whole.headers);
  headers.set('Content-Range', `bytes ${start}-${end - 1}/${body.size}`);
  headers.set('Content-Length', String(end - start));
  return new Response(body.slice(start, end), { status: 206, statusText: 'Partial Content', headers });
}
