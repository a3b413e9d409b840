// A LinkedTxn list shows links from both sides; a record owns only some of them (qbo-api.md 12). What another record owns
// moves without an edit of this one and is not ours to send.
import type { Json } from '../model/json.js';
import type { EntityDefinition, ReferenceRule } from '../registry/definition.js';
import { copyOf, places, removeAt, setAt } from './paths.js';

/** The record without the links that others own; lists that become empty go. */
export function withoutShownLinks(definition: EntityDefinition, record: Json): Json {
  const rules = definition.references.filter((rule) => rule.others === 'shown');
  if (rules.length === 0) return record;
  const copy = copyOf(record);
  for (const rule of rules) {
    for (const { segments, value } of places(copy, rule.path.replace(/\.\*$/, ''))) {
      if (!Array.isArray(value)) continue;
      const own = (value as Json[]).filter(
        (link) => linkedType(rule, link?.TxnType as string | undefined) !== undefined,
      );
      if (own.length > 0) setAt(copy, segments, own);
      else removeAt(copy, segments);
    }
  }
  return copy;
}

/** The registered type that a link's TxnType means, if the rule allows it. */
export function linkedType(rule: ReferenceRule, named: string | undefined): string | undefined {
  const wanted = (rule.aliases?.[named ?? ''] ?? named ?? '').toLowerCase();
  return rule.types.find((type) => type.toLowerCase() === wanted);
}
