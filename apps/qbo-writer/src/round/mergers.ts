// Names that were merged away, followed to the one that each of them lives on in. Pure.
import { keyText, type LinkKey } from '#storage';

/** The record that this one lives on in, itself when it was not merged. */
export type LivesOn = (key: LinkKey) => LinkKey;

export function followMergers(mergers: ReadonlyMap<string, string>): LivesOn {
  return (key) => {
    let heir = key;
    // One name may have been merged into another, and that one later; more steps than mergers are a ring.
    for (let step = 0; step < mergers.size; step++) {
      const next = mergers.get(keyText(heir));
      if (next === undefined) break;
      heir = { ...heir, sourceId: next };
    }
    return heir;
  };
}
