// Does the target's record say what the source's says? Content without book-keeping, references in the target's ids. Pure.
import { canonicalContent, definitionOf } from '#core';
import type { Raw } from '#testing';
import { linkTypeOf } from './linked.js';

/** Source id -> target id of a type, undefined when it has none. */
export type Translate = (type: string, id: string) => string | undefined;

/** path -> value, references as `Type:id` of the target */
export function meaning(type: string, record: Raw, translate?: Translate): Map<string, string> {
  const definition = definitionOf(type);
  const flat = new Map<string, string>();
  const skipped = [...definition.readOnly, ...definition.noise, ...Object.keys(definition.forced)];
  const unwritable = definition.replaceValues.filter(({ to }) => to === 'NotBillable');
  const id = (of: string, value: unknown): string =>
    translate ? (translate(of, String(value)) ?? `source ${of} ${String(value)}`) : String(value);
  const walk = (value: Raw, path: string): void => {
    // Said or not, QuickBooks means the same.
    if (path.endsWith('IncludeOnSend') && value === false) return;
    // What is never written as it is (a line that was billed on, 2170) says the same as what is written for it.
    const replaced = unwritable.find((one) => one.path === path && one.from === value);
    if (replaced) return add(path, replaced.to);
    if (skipped.includes(path) || value === null || value === undefined || value === '') return;
    const rule = definition.references.find((one) => one.path === path);
    if (rule?.kind === 'ref' && value.value !== undefined) {
      const free = rule.passThrough?.includes(String(value.value));
      add(path, free ? String(value.value) : id(rule.types[0]!, value.value));
    } else if (rule?.kind === 'typed-ref' && value.value !== undefined) {
      add(path, `${value.type} ${id(String(value.type), value.value)}`);
    } else if (value.Type !== undefined && value.EntityRef?.value !== undefined) {
      add(path, `${value.Type} ${id(String(value.Type), value.EntityRef.value)}`);
    } else if (value.TxnId !== undefined) {
      add(path, `${linkTypeOf(String(value.TxnType))} ${id(linkTypeOf(String(value.TxnType)), value.TxnId)}`);
    } else if (Array.isArray(value)) value.forEach((one) => walk(one, `${path}.*`));
    else if (typeof value === 'object')
      for (const [name, inner] of Object.entries(value)) walk(inner, path ? `${path}.${name}` : name);
    else add(path, String(value));
  };
  const add = (path: string, value: string): void => {
    let key = path;
    for (let n = 2; flat.has(key); n++) key = `${path}#${n}`;
    flat.set(key, value);
  };
  walk(canonicalContent(type, record), '');
  return flat;
}

export function differences(ours: ReadonlyMap<string, string>, theirs: ReadonlyMap<string, string>): string[] {
  const paths = new Set([...ours.keys(), ...theirs.keys()]);
  return [...paths].flatMap((path) => {
    const [a, b] = [ours.get(path), theirs.get(path)];
    return a === b ? [] : [`${path}: ${a ?? 'nothing'} there, ${b ?? 'nothing'} here`];
  });
}
