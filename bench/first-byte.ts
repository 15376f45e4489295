/** A page, whoever drives it. */
interface Evaluating {
  evaluate(work: (path: string) => Promise<number>, path: string): Promise<number>;
}

/** Milliseconds until the first byte of the body; the whole body is read. */
export function firstByte(page: Evaluating, url: string): Promise<number> {
  return page.evaluate(async (path) => {
    const began = performance.now();
    const response = await fetch(path);
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`);
    const reader = response.body!.getReader();
    await reader.read();
    const took = performance.now() - began;
    while (!(await reader.read()).done);
    return took;
  }, url);
}
