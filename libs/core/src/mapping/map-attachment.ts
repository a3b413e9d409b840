// An Attachable is not written like other records: its bytes travel by the attachment worker.
import type { Json } from '../model/json.js';
import { MappingFailure } from './failure.js';
import type { Mapped, MappedAttachment, SourceChange } from './mapped.js';

export function mapAttachment(change: SourceChange): Mapped {
  const { id: attachableId, version, deleted, snapshot } = change;
  if (deleted) return { kind: 'attachment', attachment: { attachableId, version, deleted, references: [] } };
  if (!snapshot) throw new MappingFailure('MAPPING.NO_SNAPSHOT', `Attachable ${attachableId} has no snapshot`);
  const attachment: MappedAttachment = { attachableId, version, deleted, references: referencesOf(snapshot) };
  if (snapshot.FileName) attachment.fileName = String(snapshot.FileName);
  if (snapshot.ContentType) attachment.contentType = String(snapshot.ContentType);
  if (typeof snapshot.Size === 'number') attachment.size = snapshot.Size;
  if (snapshot.Note) attachment.note = String(snapshot.Note);
  if (snapshot.Category) attachment.category = String(snapshot.Category);
  return { kind: 'attachment', attachment };
}

function referencesOf(snapshot: Json): MappedAttachment['references'] {
  const links: unknown = snapshot.AttachableRef;
  if (!Array.isArray(links)) return [];
  return (links as Json[]).flatMap((link) => {
    const entity = link.EntityRef as Json | undefined;
    if (!entity?.value || !entity.type) return [];
    const [entityType, sourceId] = [pascal(String(entity.type)), String(entity.value)];
    return [{ entityType, sourceId, includeOnSend: link.IncludeOnSend === true }];
  });
}

/** QBO answers the type now as "Invoice", now as "invoice" (qbo-api.md 15). */
function pascal(type: string): string {
  return type.charAt(0).toUpperCase() + type.slice(1);
}
