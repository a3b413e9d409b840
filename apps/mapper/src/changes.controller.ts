// Consumes qbo.changes.v1: per batch one query for the syncs of its source companies, one for the versions of their rules,
// one acknowledged publish. Paused syncs are mapped too: they go on learning what is desired, only sending stops.
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { topics, type ChangeEvent } from '#contracts';
import { BATCHES } from '#kafka';
import type { RecordBatch } from '#kafka';
import { MappingLayers, Syncs } from '#storage';
import { ChangesMapping } from './changes.mapping.js';
import { batchSeconds, mappedAfterSeconds } from './mapper.metrics.js';

@Controller()
export class ChangesController {
  constructor(
    private readonly syncs: Syncs,
    private readonly layers: MappingLayers,
    private readonly mapping: ChangesMapping,
  ) {}

  @EventPattern<string>(topics.changes.name, BATCHES)
  async onChanges(@Payload() batch: RecordBatch<ChangeEvent>): Promise<void> {
    const timer = batchSeconds.startTimer();
    const realmIds = new Set(batch.records.flatMap(({ value }) => (value ? [value.realmId] : [])));
    const syncs = await this.syncs.activeBySource([...realmIds]);
    const scopes = syncs.map(({ id: syncId, organizationId }) => ({ syncId, organizationId }));
    const ruleSets = await this.layers.ruleSets(scopes);
    const ofRealm = (realmId: string) => syncs.filter((sync) => sync.sourceRealmId === realmId);
    await this.mapping.publish(batch.records, ofRealm, ruleSets);
    const now = Date.now();
    for (const { value, timestamp } of batch.records) {
      if (value?.lane === 'live') mappedAfterSeconds.observe(Math.max(0, now - timestamp.getTime()) / 1000);
    }
    timer();
  }
}
