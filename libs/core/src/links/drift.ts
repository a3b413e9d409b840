// What a person edited or deleted in the target, and what the sync's policy says to it, by type and by field:
//   overwrite  the source wins: written back
//   keep       the target wins: that field is left until the source changes the very same one, and listed on the link
//   hold       a person decides, with both values before their eyes
// A copy that was deleted is made again (`recreate`) or held. Pure.
import type { Json } from '../model/json.js';
import { diffAnswer, type Difference } from './difference.js';
import type { Link } from './link.js';

export const driftWords = ['overwrite', 'keep', 'hold'] as const;
export const goneWords = ['hold', 'recreate'] as const;
export type DriftWord = (typeof driftWords)[number];

export interface DriftPolicy {
  default: DriftWord;
  /** by field of the record, its first name: `Line`, `PrivateNote`, `DueDate` */
  fields?: Readonly<Record<string, DriftWord>>;
  gone: (typeof goneWords)[number];
}

export const defaultDrift: DriftPolicy = { default: 'overwrite', gone: 'hold' };

/**
 * `settings.drift`: one word for all types, or by type `{default, Invoice}`, each a word or
 * `{default, fields: {PrivateNote: "keep"}, gone}`. What makes no sense is the default; control refuses it beforehand.
 */
export function driftPolicy(setting: unknown, entityType: string): DriftPolicy {
  const isShape = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
  const own = isShape(setting) ? (setting[entityType] ?? setting.default) : setting;
  if (!isShape(own)) return { ...defaultDrift, default: wordOf(own) };
  const fields = isShape(own.fields)
    ? Object.fromEntries(Object.entries(own.fields).map(([field, word]) => [field, wordOf(word)]))
    : undefined;
  return {
    default: wordOf(own.default),
    ...(fields ? { fields } : {}),
    gone: own.gone === 'recreate' ? 'recreate' : 'hold',
  };
}

function wordOf(value: unknown): DriftWord {
  return driftWords.find((word) => word === value) ?? defaultDrift.default;
}

export interface JudgedDrift {
  overwritten: Difference[];
  kept: Difference[];
  held: Difference[];
}

export function judgeDrift(drift: readonly Difference[], policy: DriftPolicy): JudgedDrift {
  const judged: JudgedDrift = { overwritten: [], kept: [], held: [] };
  for (const one of drift) {
    const word = policy.fields?.[one.path.split('.')[0]!] ?? policy.default;
    (word === 'hold' ? judged.held : word === 'keep' ? judged.kept : judged.overwritten).push(one);
  }
  return judged;
}

/** Both values of each, for the person who decides. */
export function driftText(drift: readonly Difference[]): string {
  const text = (value: unknown) => (JSON.stringify(value) ?? 'empty').slice(0, 80);
  return drift.map(({ path, sent, answered }) => `${path} (ours ${text(sent)}, theirs ${text(answered)})`).join(', ');
}

export type Swept = 'equal' | 'drifted' | 'gone';

/** What a sweep says of a settled link, given the target's record as it is now; null: the target has none. */
export function judgeSwept(link: Link, record: Json | null): Swept {
  const { target, applied } = link;
  if (!target || target.deleted || !applied?.payload || link.state.kind !== 'settled') return 'equal';
  if (record === null) return 'gone';
  // Nobody wrote since we did: what differs is QuickBooks' own arithmetic, and was told then.
  if (target.syncToken !== undefined && String(record.SyncToken) === target.syncToken) return 'equal';
  return diffAnswer(link.entityType, applied.payload, record).length > 0 ? 'drifted' : 'equal';
}
