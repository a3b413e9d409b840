// Dotted paths into JSON, `*` for every element of an array: "Line.*.SalesItemLineDetail.ItemRef".
import type { Json } from '../model/json.js';
import { remembered } from './remembered.js';

/** One place a pattern matches: its concrete segments and what stands there. */
export interface Place {
  segments: string[];
  value: unknown;
}

// Paths come from stored rules too: none may reach the prototype of anything.
const forbidden = new Set(['__proto__', 'constructor', 'prototype']);

/** @throws RangeError when the path could reach outside the record */
export const segmentsOf: (path: string) => readonly string[] = remembered((path) => {
  const segments = path.split('.');
  if (segments.some((segment) => segment === '' || forbidden.has(segment))) {
    throw new RangeError(`"${path}" is not a path`);
  }
  return segments;
});

/** Every place at `path` that exists, in order. */
export function places(body: unknown, path: string): Place[] {
  const found: Place[] = [];
  collect(body, segmentsOf(path), [], found);
  return found;
}

/** Most paths lead nowhere in most records, so nothing is made before the end of one is reached. */
function collect(value: unknown, path: readonly string[], behind: string[], found: Place[]): void {
  if (behind.length === path.length) {
    found.push({ segments: [...behind], value });
    return;
  }
  const segment = path[behind.length]!;
  if (segment === '*') {
    if (!Array.isArray(value)) return;
    for (const [at, element] of value.entries()) {
      behind.push(String(at));
      collect(element, path, behind, found);
      behind.pop();
    }
  } else if (typeof value === 'object' && value !== null && Object.hasOwn(value, segment)) {
    behind.push(segment);
    collect((value as Json)[segment], path, behind, found);
    behind.pop();
  }
}

/** Every value at `path`. */
export function pick(body: Json, path: string): unknown[] {
  return places(body, path).map((place) => place.value);
}

/** The value at concrete segments. */
export function valueAt(body: unknown, segments: readonly string[]): unknown {
  let value = body;
  for (const segment of segments) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
    value = (value as Json)[segment];
  }
  return value;
}

/** Sets a value in place, making objects on the way. `body` must be the caller's own copy. */
export function setAt(body: Json, segments: readonly string[], value: unknown): void {
  let here = body;
  for (const segment of segments.slice(0, -1)) {
    const next: unknown = Object.hasOwn(here, segment) ? here[segment] : undefined;
    if (typeof next !== 'object' || next === null) here[segment] = {};
    here = here[segment] as Json;
  }
  here[segments.at(-1)!] = value;
}

/** Removes what stands at concrete segments, in place; array elements stay where they are. */
export function removeAt(body: Json, segments: readonly string[]): void {
  const parent = valueAt(body, segments.slice(0, -1));
  if (typeof parent === 'object' && parent !== null && !Array.isArray(parent)) {
    delete (parent as Json)[segments.at(-1)!];
  }
}

/** A copy of `body` without what stands at the paths. */
export function omit(body: Json, paths: readonly string[]): Json {
  const copy = copyOf(body);
  for (const path of paths) {
    for (const place of places(copy, path)) removeAt(copy, place.segments);
  }
  return copy;
}

/** A deep copy of JSON; undefined fields are left out. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) return value.map((element) => copyOf(element)) as T;
  if (typeof value === 'object' && value !== null) {
    const copy: Json = {};
    for (const name of Object.keys(value)) {
      const field: unknown = (value as Json)[name];
      if (field !== undefined && !forbidden.has(name)) copy[name] = copyOf(field);
    }
    return copy as T;
  }
  return value;
}
