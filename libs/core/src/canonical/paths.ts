// Dotted paths into JSON, `*` for every element of an array.
import type { Json } from '../model/json.js';

/** Every value at `path`. */
export function pick(_body: Json, _path: string): unknown[] {
  throw new Error('not built yet');
}

/** A copy of `body` without what stands at the paths. */
export function omit(_body: Json, _paths: readonly string[]): Json {
  throw new Error('not built yet');
}
