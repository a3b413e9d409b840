// I-12: replaying every topic from the start writes nothing.
import type { Books } from '../books.js';
import { counted, judged, notJudged, type Verdict } from '../verdict.js';

export function replay(books: Books): Verdict {
  const { replay: made, rest } = books.e;
  if (!made) return notJudged('no replay was made (the control API and its key are needed, and --read-only left out)');
  if (rest.motion.length > 0) return notJudged(`the system is not at rest: ${rest.motion.join(', ')}`);
  if (made.read === 0) return notJudged('the replay had nothing to read');
  return judged(
    made.writes
      .filter(({ writes }) => writes > 0)
      .map(({ realmId, writes }) => ({
        what: `the replay of ${counted(made.read, 'record')} wrote ${counted(writes, 'time')} into company ${realmId}`,
      })),
    `${counted(made.read, 'record')} replayed, 0 writes`,
  );
}
