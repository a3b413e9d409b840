// Real records of Intuit's sample company, when they lie beside the repository (they are not committed): every one of a
// registered type maps, and no id of the source survives in what would be sent.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentHash } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { bindReferences } from '../references/index.js';
import { mergeLayers } from './layers.js';
import { mapChange } from './map-change.js';
import { defaultTemplate } from './template.js';

const folder = join(process.cwd(), '..', 'shared', 'fixtures', 'sandbox-company');
const types = existsSync(folder)
  ? readdirSync(folder).flatMap((file) => /^(\w+)\.json$/.exec(file)?.[1] ?? [])
  : ['none'];
const rules = mergeLayers([defaultTemplate]);

(existsSync(folder) ? describe : describe.skip)(
  'the records of a real company (skipped without ../shared/fixtures)',
  () => {
    it.each(types)('%s: every record maps, and binds to nothing of the source', (type) => {
      const records = JSON.parse(readFileSync(join(folder, `${type}.json`), 'utf8')) as Json[];
      expect(records.length).toBeGreaterThan(0);
      const notMapped = [];
      for (const snapshot of records) {
        const change = {
          realmId: '1',
          entityType: type,
          id: String(snapshot.Id),
          version: 'v',
          deleted: false,
          snapshot,
        };
        const mapped = mapChange(change, rules);
        if (mapped.kind !== 'write') {
          notMapped.push({ id: snapshot.Id as string, mapped });
          continue;
        }
        const { payload, references } = mapped.write;
        const bound = bindReferences(payload!, references, (parent, id) => `${parent}#${id}`);
        if (bound.kind !== 'bound') throw new Error('everything resolves here');
        const values = [...JSON.stringify(bound.body).matchAll(/"(?:value|TxnId)":"([^"]*)"/g)].map(
          (match) => match[1]!,
        );
        const strangers = values.filter((value) => /^\d+$/.test(value));
        expect({ id: snapshot.Id as string, strangers }).toEqual({ id: snapshot.Id as string, strangers: [] });
        expect(contentHash(type, snapshot)).toMatch(/^[0-9a-f]{64}$/);
      }
      expect(notMapped).toEqual([]);
    });
  },
);
