// Two opposite syncs whose mappings are not inverses of each other come to rest all the same (links: pair.ts), but not as equal
// books: what one direction makes of a field, the other does not undo. Said before the first record is written. Pure.
import { isDeepStrictEqual } from 'node:util';
import { applyTransforms } from '../mapping/transforms.js';
import { rulesFor } from '../mapping/layers.js';
import type {
  DocumentNumberPolicy,
  FieldRule,
  Merged,
  MergedRules,
  ReferencePolicy,
  RuleSet,
} from '../mapping/rules.js';
import type { Finding } from './compare.js';

/** One value of each kind that a field of QuickBooks holds; what comes back changed tells that a rule is not undone. */
const probes: readonly unknown[] = ['Aé b-C d', 'x', '1042', '12.345', '-7.5', '2026-01-31', 12.34, -3, true];

/** What stays different by whose rules; `there` is the sync that is looked at, `back` its opposite. */
export function comparePairMappings(there: RuleSet, back: RuleSet): Finding[] {
  const types = [...new Set([...Object.keys(there.entities), ...Object.keys(back.entities)])].sort();
  // What is said for every type is said once.
  const said = new Set<string>();
  return ['*', ...types.filter((type) => type !== '*')].flatMap((type) => {
    const [ours, theirs] = [rulesFor(there, type), rulesFor(back, type)];
    const found = [...notUndone(ours, theirs), ...notUndone(theirs, ours).map(swapped)];
    return found.flatMap(({ subject, source, target }) => {
      const text = `${subject} ${source} ${target}`;
      if (said.has(text)) return [];
      if (type === '*') said.add(text);
      return [finding(type, subject, source, target)];
    });
  });
}

interface NotUndone {
  subject: string;
  /** what this sync does */
  source: string;
  /** what its opposite does */
  target: string;
}

const swapped = ({ subject, source, target }: NotUndone): NotUndone => ({ subject, source: target, target: source });

function finding(type: string, subject: string, source: string, target: string): Finding {
  const what = type === '*' ? 'every type' : type;
  return {
    code: 'PREFLIGHT.PAIR_MAPPING',
    severity: 'warns',
    subject: `${what}: ${subject}`,
    source: `this sync: ${source}`,
    target: `the opposite sync: ${target}`,
    whatToDo: `The two mappings do not undo each other: ${subject} of ${what} stays different in the two companies, and only an edit of it is carried. Give the opposite sync the inverse rule, or leave it so on purpose.`,
  };
}

const own = (rule: Merged<unknown> | undefined): boolean =>
  rule !== undefined && rule.from.some(({ layer }) => layer !== 'template');

function notUndone(there: MergedRules, back: MergedRules): NotUndone[] {
  const found: NotUndone[] = [];
  const say = (subject: string, source: string, target: string): void => void found.push({ subject, source, target });
  if (own(there.excluded) && there.excluded!.value !== false && !back.excluded?.value)
    say('records', 'does not carry them', 'carries them');
  for (const filter of there.exclude)
    if (own(filter) && !back.exclude.some(({ value }) => isDeepStrictEqual(value, filter.value)))
      say('records', `does not carry those of "${filter.value.reason}"`, 'carries them');
  for (const [path, rule] of Object.entries(there.omit))
    if (own(rule) && rule.value && !back.omit[path]?.value) say(path, 'leaves it out', 'carries it');
  for (const rule of Object.values(there.fields)) if (own(rule)) judgeField(rule.value, back, say);
  for (const [path, rule] of Object.entries(there.static)) if (own(rule)) judgeFixed(path, rule.value, back, say);
  for (const rule of there.overrides)
    if (own(rule)) for (const [path, value] of Object.entries(rule.value.set)) judgeFixed(path, value, back, say);
  const number = there.documentNumber;
  if (own(number) && number!.value.kind !== 'keep')
    say('DocNumber', numberText(number!.value), numberText(back.documentNumber?.value ?? { kind: 'keep' }));
  for (const [path, rule] of Object.entries(there.references))
    if (own(rule) && !isUndone(rule.value, back.references[path]?.value))
      say(path, referenceText(rule.value), referenceText(back.references[path]?.value ?? { kind: 'follow' }));
  const redirected = Object.entries(there.redirect).filter(([, rule]) => own(rule));
  if (redirected.length > 0)
    say('redirected records', `${redirected.length} become others`, 'cannot tell which of them it was');
  return found;
}

type Say = (subject: string, source: string, target: string) => void;

function judgeField(rule: FieldRule, back: MergedRules, say: Say): void {
  const reverse = back.fields[rule.from]?.value;
  const undoes = reverse?.from === rule.to ? (reverse.transforms ?? []) : rule.from === rule.to ? [] : undefined;
  if (undoes === undefined) return say(rule.to, `takes it from ${rule.from}`, `does not write ${rule.from} from it`);
  const changed = probes.find((probe) => {
    try {
      const went = applyTransforms(probe, rule.transforms ?? [], rule.to, { [rule.from]: probe });
      const came = applyTransforms(went, undoes, rule.from, { [rule.to]: went });
      return String(came) !== String(probe);
    } catch {
      // A value that the rule refuses is told with its record.
      return false;
    }
  });
  if (changed === undefined) return;
  const text = (transforms: FieldRule['transforms']): string =>
    (transforms ?? []).map(({ use }) => use).join(', ') || 'as it is';
  say(rule.to, text(rule.transforms), text(undoes));
}

function judgeFixed(path: string, value: unknown, back: MergedRules, say: Say): void {
  const there = `always ${JSON.stringify(value)}`;
  const fixed = back.static[path];
  if (fixed && isDeepStrictEqual(fixed.value, value)) return;
  say(
    path,
    there,
    fixed ? `always ${JSON.stringify(fixed.value)}` : back.omit[path]?.value ? 'leaves it out' : 'carries it',
  );
}

function isUndone(there: ReferencePolicy, back: ReferencePolicy | undefined): boolean {
  if (there.kind === 'follow') return true;
  if (there.kind !== 'table' || back?.kind !== 'table') return false;
  return Object.entries(there.entries).every(([from, to]) => back.entries[to] === from);
}

const numberText = (policy: DocumentNumberPolicy): string =>
  policy.kind === 'prefix' || policy.kind === 'suffix' ? `${policy.kind} "${policy.text}"` : policy.kind;

const referenceText = (policy: ReferencePolicy): string =>
  policy.kind === 'table' ? 'by a table' : policy.kind === 'fixed' ? 'always the same' : policy.kind;
