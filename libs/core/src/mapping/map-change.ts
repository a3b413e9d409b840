// The evaluator: total. Whatever the rules or the snapshot hold, the answer is a `Mapped`; a bad rule is a named failure
// of the records it touches and the others go on.
import { desiredHash, isVoided } from '../canonical/index.js';
import { setAt, valueAt } from '../canonical/paths.js';
import { specialCasesOf } from '../canonical/special-cases.js';
import { omit } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { extractReferences, UnknownReference } from '../references/index.js';
import { definitionOf, knownType, type EntityDefinition } from '../registry/index.js';
import { adoptionKey } from './adoption-key.js';
import { exclusionOf } from './exclusions.js';
import { documentNumber, freeNumberKey } from './document-number.js';
import { MappingFailure } from './failure.js';
import { applyFieldRules } from './fields.js';
import { rulesFor } from './layers.js';
import { mapAttachment } from './map-attachment.js';
import type { Mapped, MappedWrite, SourceChange } from './mapped.js';
import { withoutSideEffects } from './neutral.js';
import { identityBody, naturalKeyOf, setBeginnings, sourceOf } from './prepare.js';
import { addFixedReferences, decideBy } from './reference-policies.js';
import type { MergedRules, RuleSet } from './rules.js';

export function mapChange(change: SourceChange, ruleSet: RuleSet): Mapped {
  try {
    return mapped(change, ruleSet);
  } catch (error) {
    const mappingVersion = ruleSet.version;
    const { message } = error as Error;
    if (error instanceof MappingFailure || error instanceof UnknownReference) {
      return { kind: 'failed', code: error.code, message, mappingVersion };
    }
    return { kind: 'failed', code: 'MAPPING.UNEXPECTED', message: String(message ?? error), mappingVersion };
  }
}

function mapped(change: SourceChange, ruleSet: RuleSet): Mapped {
  if (!knownType(change.entityType)) return excluded(`${change.entityType} is not a registered type`);
  const definition = definitionOf(change.entityType);
  if (definition.policy === 'reported')
    return excluded(definition.reportedBecause ?? `${change.entityType} is only reported`);
  const rules = rulesFor(ruleSet, change.entityType);
  const because = rules.excluded?.value;
  if (because !== undefined && because !== false)
    return excluded(because === true ? 'excluded by a rule' : String(because), ruleSet.version);
  const redirect = Object.hasOwn(rules.redirect, change.id) ? rules.redirect[change.id] : undefined;
  if (redirect) return excluded(`redirected to ${change.entityType} ${redirect.value}`, ruleSet.version);
  // Before defects are looked at: no rule speaks about the fields of a file.
  if (change.entityType === 'Attachable') return mapAttachment(change, ruleSet);
  if (rules.defects.length > 0) throw new MappingFailure('MAPPING.BAD_RULE', rules.defects.join('; '));
  return change.deleted ? removal(change, ruleSet) : upsert(change, definition, rules, ruleSet);
}

function excluded(reason: string, mappingVersion?: number): Mapped {
  return { kind: 'excluded', reason, ...(mappingVersion === undefined ? {} : { mappingVersion }) };
}

function removal(change: SourceChange, ruleSet: RuleSet): Mapped {
  const { entityType, id: sourceId, version, mergedInto } = change;
  return {
    kind: 'write',
    write: {
      entityType,
      sourceId,
      version,
      op: 'delete',
      desiredHash: desiredHash('delete', undefined, []),
      references: [],
      ...(mergedInto === undefined ? {} : { mergedInto }),
      mappingVersion: ruleSet.version,
    },
  };
}

function upsert(change: SourceChange, definition: EntityDefinition, rules: MergedRules, ruleSet: RuleSet): Mapped {
  const { entityType, id: sourceId, version, snapshot } = change;
  if (!snapshot) throw new MappingFailure('MAPPING.NO_SNAPSHOT', `${entityType} ${sourceId} has no snapshot`);
  const left = exclusionOf(rules.exclude, snapshot);
  if (left !== undefined) return excluded(left, ruleSet.version);
  const impossible = specialCasesOf(definition, snapshot).find((special) => special.notCarried);
  if (impossible?.posts) throw new MappingFailure('MAPPING.NOT_ALLOWED', impossible.notCarried!);
  if (impossible) return excluded(impossible.notCarried!);
  const source = sourceOf(snapshot);
  const body = mappedBody(definition, source, rules);
  const { payload, references } = extractReferences(entityType, body, decideBy(rules, ruleSet));
  const op = definition.voidForm !== 'none' && isVoided(entityType, snapshot) ? 'void' : 'upsert';
  const write: MappedWrite = {
    entityType,
    sourceId,
    version,
    op,
    desiredHash: desiredHash(op, payload, references),
    payload,
    references,
    mappingVersion: ruleSet.version,
  };
  const twinKey = adoptionKey(definition, naturalKeyOf(definition, body, source), rules.adopt?.value, sourceId);
  const naturalKey = mustBeFree(body, definition, rules) ? { ...twinKey, [freeNumberKey]: 'yes' } : twinKey;
  return { kind: 'write', write: naturalKey ? { ...write, naturalKey } : write };
}

function mustBeFree(body: Json, { docNumberField }: EntityDefinition, rules: MergedRules): boolean {
  return docNumberField !== undefined && docNumberField.field in body && rules.documentNumber?.value?.kind === 'hold';
}

/** Identity, then what the rules leave out, then what they put in, then what no rule may change. */
function mappedBody(definition: EntityDefinition, source: Json, rules: MergedRules): Json {
  const left = Object.entries(rules.omit).flatMap(([path, rule]) => (rule.value ? [path] : []));
  const body = omit(identityBody(definition, source), left);
  applyFieldRules(body, source, rules);
  applyDocumentNumber(body, definition, rules);
  addFixedReferences(body, rules);
  for (const [path, value] of Object.entries(definition.forced)) {
    const segments = path.split('.');
    const parent = segments.length === 1 ? body : valueAt(body, segments.slice(0, -1));
    if (typeof parent === 'object' && parent !== null) setAt(body, segments, value);
  }
  const harmless = withoutSideEffects(body);
  setBeginnings(harmless, definition, source);
  return harmless;
}

function applyDocumentNumber(body: Json, { docNumberField }: EntityDefinition, rules: MergedRules): void {
  if (!docNumberField) return;
  const { field, maxLength } = docNumberField;
  const number = documentNumber(body[field], rules.documentNumber?.value ?? { kind: 'keep' }, maxLength);
  if (number === undefined) delete body[field];
  else body[field] = number;
}
