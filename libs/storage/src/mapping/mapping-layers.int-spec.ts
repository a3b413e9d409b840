import { randomUUID } from 'node:crypto';
import { freshDatabase, type FreshDatabase } from '../fresh-database.fixture.js';
import { MappingLayers, type MappingScope } from './mapping-layers.js';

describe('mapping layers', () => {
  let fresh: FreshDatabase;
  let layers: MappingLayers;
  const scopes: MappingScope[] = [];

  beforeAll(async () => {
    fresh = await freshDatabase();
    layers = new MappingLayers(fresh.db);
    const realm = (n: number) => `91304${n}0000000`;
    for (let n = 0; n < 2; n += 1) {
      const scope = { syncId: randomUUID(), organizationId: randomUUID() };
      scopes.push(scope);
      await fresh.db.query(`insert into organizations (id, name) values ($1, 'o')`, [scope.organizationId]);
      for (const realmId of [realm(2 * n), realm(2 * n + 1)]) {
        await fresh.db.query(`insert into companies (realm_id, organization_id, name) values ($1, $2, 'c')`, [
          realmId,
          scope.organizationId,
        ]);
      }
      await fresh.db.query(
        `insert into syncs (id, organization_id, source_realm_id, target_realm_id) values ($1, $2, $3, $4)`,
        [scope.syncId, scope.organizationId, realm(2 * n), realm(2 * n + 1)],
      );
    }
  });
  afterAll(() => fresh.drop());

  const note = (text: string) => ({
    rules: { entities: { Invoice: { static: { PrivateNote: text } } } },
    author: 'ann',
    reason: 'because',
  });
  const notes = async () => {
    const sets = await layers.ruleSets(scopes);
    return scopes.map((scope) => sets.get(scope.syncId)!.entities.Invoice?.static.PrivateNote?.value);
  };

  it('apply to whom they belong, the newest of each layer, and the version is the highest id', async () => {
    expect(await notes()).toEqual([undefined, undefined]);
    const [first, second] = scopes as [MappingScope, MappingScope];
    await layers.add(fresh.db, { layer: 'template' }, note('all'));
    expect(await notes()).toEqual(['all', 'all']);
    await layers.add(fresh.db, { layer: 'organization', organizationId: first.organizationId }, note('organization'));
    expect(await notes()).toEqual(['organization', 'all']);
    const old = await layers.add(fresh.db, { layer: 'sync', ...first }, note('old'));
    const now = await layers.add(fresh.db, { layer: 'sync', ...first }, note('new'));
    expect(await notes()).toEqual(['new', 'all']);
    expect((await layers.ruleSets([first])).get(first.syncId)!.version).toBe(now);

    const then = await layers.ruleSetAt(first, old);
    expect(then.entities.Invoice!.static.PrivateNote!.value).toBe('old');
    expect((await layers.of(first)).map(({ layer, author, reason }) => [layer, author, reason])).toEqual([
      ['organization', 'ann', 'because'],
      ['sync', 'ann', 'because'],
      ['template', 'ann', 'because'],
    ]);
    expect(await layers.of(second)).toHaveLength(1);
  });

  it('are merged once per version: the same rule set comes back', async () => {
    const once = await layers.ruleSets(scopes);
    const again = await layers.ruleSets(scopes);
    for (const { syncId } of scopes) expect(again.get(syncId)).toBe(once.get(syncId));
  });
});
