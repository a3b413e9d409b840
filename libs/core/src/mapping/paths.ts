// Names that a stored rule must not use as a key of ours.
const reserved = new Set(['__proto__', 'constructor', 'prototype']);

export function isReserved(name: string): boolean {
  return name.split('.').some((segment) => reserved.has(segment));
}
