/** `ms` ±25 %, so that many clients of one server do not come back all at once. `random` is in [0, 1). */
export function jittered(ms: number, random: () => number): number {
  return ms * (0.75 + random() * 0.5);
}
