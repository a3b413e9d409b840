// A shorter history that still fails: first the shortest failing beginning, then whatever can be left out of it. Every try
// costs a run of the whole system, so the number of tries is bounded. Pure but for `fails`.

/**
 * @param acts a list that is known to fail
 * @param fails whether a shorter list fails as well
 * @returns the shortest list found, always one that fails
 */
export async function shrink<T>(
  acts: readonly T[],
  fails: (shorter: readonly T[]) => Promise<boolean>,
  runs: number,
): Promise<readonly T[]> {
  let left = runs;
  const stillFails = async (shorter: readonly T[]): Promise<boolean> => {
    if (left <= 0) return false;
    left--;
    return fails(shorter);
  };
  if (acts.length === 0 || (await stillFails([]))) return [];
  let shortest = acts;
  // Beginnings: a failure that an act caused is there from that act on, mostly.
  for (let good = 0, bad = acts.length; bad - good > 1 && left > 0;) {
    const middle = (good + bad) >> 1;
    if (await stillFails(acts.slice(0, middle))) {
      bad = middle;
      shortest = acts.slice(0, middle);
    } else good = middle;
  }
  // Then chunks out of the middle, halves first; the last act stays, it is the one that shows the failure.
  for (let size = (shortest.length - 1) >> 1; size >= 1 && left > 0; size >>= 1) {
    for (let at = 0; at + size < shortest.length && left > 0;) {
      const without = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      if (await stillFails(without)) shortest = without;
      else at += size;
    }
  }
  return shortest;
}
