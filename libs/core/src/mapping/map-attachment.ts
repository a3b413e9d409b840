// An Attachable is not written like other records: its bytes travel by the attachment worker. What it hangs on follows the
// same redirects and exclusions as any reference.
import type { Json } from '../model/json.js';
import { definitionOf, knownType, typeNamed } from '../registry/index.js';
import { MappingFailure } from './failure.js';
import { rulesFor } from './layers.js';
import type { Mapped, MappedAttachment, SourceChange } from './mapped.js';
import type { RuleSet } from './rules.js';

type Anchor = MappedAttachment['references'][number];

export function mapAttachment(change: SourceChange, ruleSet: RuleSet): Mapped {
  const { id: attachableId, version, deleted, snapshot } = change;
  if (deleted) return { kind: 'attachment', attachment: { attachableId, version, deleted, references: [] } };
  if (!snapshot) throw new MappingFailure('MAPPING.NO_SNAPSHOT', `Attachable ${attachableId} has no snapshot`);
  const anchors = anchorsOf(snapshot);
  const references = anchors.flatMap((anchor) => carriedAnchor(anchor, ruleSet) ?? []);
  if (anchors.length > 0 && references.length === 0) {
    const types = [...new Set(anchors.map((anchor) => anchor.entityType))].join(', ');
    return { kind: 'excluded', reason: `hangs only on records that are not carried (${types})` };
  }
  const attachment: MappedAttachment = { attachableId, version, deleted, references };
  if (snapshot.FileName) attachment.fileName = String(snapshot.FileName);
  if (snapshot.ContentType) attachment.contentType = String(snapshot.ContentType);
  if (typeof snapshot.Size === 'number') attachment.size = snapshot.Size;
  if (snapshot.Note) attachment.note = String(snapshot.Note);
  if (snapshot.Category) attachment.category = String(snapshot.Category);
  return { kind: 'attachment', attachment };
}

function anchorsOf(snapshot: Json): Anchor[] {
  const links: unknown = snapshot.AttachableRef;
  if (!Array.isArray(links)) return [];
  return (links as Json[]).flatMap((link) => {
    const entity = link?.EntityRef as Json | undefined;
    if (!entity?.value || !entity.type) return [];
    // QBO answers the type now as "Invoice", now as "invoice" (qbo-api.md 15).
    const [entityType, sourceId] = [typeNamed(String(entity.type)) ?? String(entity.type), String(entity.value)];
    return [{ entityType, sourceId, includeOnSend: link.IncludeOnSend === true }];
  });
}

function carriedAnchor(anchor: Anchor, ruleSet: RuleSet): Anchor | undefined {
  if (!knownType(anchor.entityType) || definitionOf(anchor.entityType).policy === 'reported') return undefined;
  const { excluded, redirect } = rulesFor(ruleSet, anchor.entityType);
  if (excluded !== undefined && excluded.value !== false) return undefined;
  const to = Object.hasOwn(redirect, anchor.sourceId) ? redirect[anchor.sourceId] : undefined;
  return to ? { ...anchor, sourceId: String(to.value) } : anchor;
}
