import { segmentsOf } from '../canonical/paths.js';
import { definitionOf, entityTypes, knownType, typesInRankOrder } from './registry.js';

describe('the entity registry', () => {
  const all = Object.values(entityTypes);

  it('covers the types of the first release', () => {
    expect(Object.keys(entityTypes).sort()).toEqual([
      'Account',
      'Attachable',
      'Bill',
      'Class',
      'Customer',
      'Department',
      'Invoice',
      'Item',
      'Payment',
      'PaymentMethod',
      'TaxAgency',
      'TaxCode',
      'TaxRate',
      'Term',
      'Vendor',
    ]);
  });

  it.each(all.map((definition) => [definition.type, definition] as const))(
    '%s says nothing impossible',
    (type, definition) => {
      expect(entityTypes[type]).toBe(definition);
      const paths = [...definition.readOnly, ...definition.noise, ...definition.references.map((rule) => rule.path)];
      for (const path of paths) expect(() => segmentsOf(path)).not.toThrow();
      expect(new Set(definition.references.map((rule) => rule.path)).size).toBe(definition.references.length);
      if (definition.voidForm !== 'none') expect(definition.operations).toContain('void');
      if (definition.category === 'name-list') expect(definition.operations).toContain('deactivate');
      if (definition.batchable) expect(definition.category).toBe('transaction');
    },
  );

  it('puts parents before children: a type never points at one of a higher rank, but for rings that can be broken', () => {
    for (const definition of all) {
      for (const rule of definition.references) {
        for (const parent of rule.types.filter(knownType)) {
          if (rule.deferrable) continue;
          const risen = definitionOf(parent).rank > definition.rank ? `${definition.type} -> ${parent}` : undefined;
          expect(risen).toBeUndefined();
        }
      }
    }
    const ranks = typesInRankOrder().map((definition) => definition.rank);
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });

  it('knows no type by a name that every object has', () => {
    expect(knownType('toString')).toBe(false);
    expect(() => definitionOf('constructor')).toThrow(RangeError);
  });
});
