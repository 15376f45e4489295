/**
 * Puts several orders of things together into one, each thing once. The first order stays as it is. What another one adds comes as late as that one
 * allows: right before the next of its things that is there already, or at the end. So the launch that was named first waits for nothing
 * of the others that they themselves need only later; a mean of the ranks would let every trace delay every other.
 */
export function weave<T>(orders: readonly (readonly T[])[]): T[] {
  const [first = [], ...others] = orders;
  let woven = [...new Set(first)];
  for (const order of others) {
    const known = new Set(woven);
    const before = new Map<T, T[]>();
    let added: T[] = [];
    for (const thing of new Set(order)) {
      if (!known.has(thing)) added.push(thing);
      else if (added.length > 0) {
        before.set(thing, added);
        added = [];
      }
    }
    woven = [...woven.flatMap((thing) => [...(before.get(thing) ?? []), thing]), ...added];
  }
  return woven;
}
