// A pure answer to a short text, kept. The names and paths of QuickBooks' fields are some hundreds and are judged for every
// field of every record; taking a path apart or trying six patterns on a name anew each time was most of what mapping cost.

/** Names come from records and paths from stored rules, so what is kept is bounded: beyond it the memory begins anew. */
const most = 5_000;

export function remembered<T>(answer: (text: string) => T): (text: string) => T {
  const known = new Map<string, { answer: T }>();
  return (text) => {
    let found = known.get(text);
    if (!found) {
      found = { answer: answer(text) };
      if (known.size >= most) known.clear();
      known.set(text, found);
    }
    return found.answer;
  };
}
