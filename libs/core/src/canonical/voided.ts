// QBO has no status field for a void: it is recognised by its traces (qbo-api.md 2.5).
import type { Json } from '../model/json.js';

export function isVoided(_type: string, _record: Json): boolean {
  throw new Error('not built yet');
}
