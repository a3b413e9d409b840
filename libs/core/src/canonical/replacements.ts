// Values that QBO shows and refuses to take, such as a line that was billed on: sent, and compared, as what may be written.
import type { Json } from '../model/json.js';
import type { EntityDefinition } from '../registry/definition.js';
import { copyOf, places, setAt } from './paths.js';

export function withReplacements({ replaceValues }: EntityDefinition, record: Json): Json {
  if (replaceValues.length === 0) return record;
  const copy = copyOf(record);
  for (const { path, from, to } of replaceValues) {
    for (const { segments, value } of places(copy, path)) if (value === from) setAt(copy, segments, to);
  }
  return copy;
}
