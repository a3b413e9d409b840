// Reference policies and redirects of the rules, as decisions for the extraction.
import { places, segmentsOf, setAt } from '../canonical/paths.js';
import type { Json } from '../model/json.js';
import type { DecideReference, ReferenceDecision } from '../references/index.js';
import { MappingFailure } from './failure.js';
import { rulesFor } from './layers.js';
import type { MergedRules, ReferencePolicy, RuleSet } from './rules.js';

const follow: ReferenceDecision = { kind: 'follow' };

export function decideBy(rules: MergedRules, ruleSet: RuleSet): DecideReference {
  return (rule, entityType, sourceId) => {
    const policy = Object.hasOwn(rules.references, rule.path) ? rules.references[rule.path]!.value : undefined;
    const decision = policy ? decided(policy, rule.path, sourceId) : follow;
    if (decision.kind !== 'follow') return decision;
    const redirects = rulesFor(ruleSet, entityType).redirect;
    const redirect = Object.hasOwn(redirects, sourceId) ? redirects[sourceId]!.value : undefined;
    return redirect === undefined ? follow : { kind: 'follow', sourceId: String(redirect) };
  };
}

function decided(policy: ReferencePolicy, path: string, sourceId: string): ReferenceDecision {
  switch (policy.kind) {
    case 'follow':
    case 'drop':
      return { kind: policy.kind };
    case 'fixed':
      return { kind: 'target', id: String(policy.value) };
    case 'table': {
      if (policy.entries && Object.hasOwn(policy.entries, sourceId)) {
        return { kind: 'target', id: String(policy.entries[sourceId]) };
      }
      if (policy.otherwise === 'drop') return { kind: 'drop' };
      if (policy.otherwise !== 'fail') return follow;
      throw new MappingFailure('REFERENCE.NOT_IN_TABLE', `${path}: the table has no entry for id ${sourceId}`);
    }
    default:
      throw new MappingFailure('MAPPING.BAD_RULE', `${path}: there is no such reference policy`);
  }
}

/** A fixed header reference is set even where the source has none: "every invoice belongs to location 5". */
export function addFixedReferences(body: Json, rules: MergedRules): void {
  for (const [path, { value: policy }] of Object.entries(rules.references)) {
    if (policy?.kind !== 'fixed' || path.includes('*') || places(body, path).length > 0) continue;
    setAt(body, segmentsOf(path), { value: String(policy.value) });
  }
}
