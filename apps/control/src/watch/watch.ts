// Fills the gauges of control.metrics.ts when somebody scrapes. Three questions, each with its own patience: Kafka's offsets,
// tables, and the audit chains, which are walked from their start and therefore seldom.
import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { ask, forget } from '#common/metrics';
import { GroupLag } from '#kafka';
import { AuditLog, Database, GovernorStore } from '#storage';
import * as metrics from '../control.metrics.js';
import { KafkaLag, consumption } from '../syncs/kafka-lag.js';
import { questions } from './questions.js';

const shownRanks = 5;
const chainsEveryMs = 10 * 60_000;
/** A scrape waits ten seconds; a broker that is away keeps its question for a minute. */
const kafkaPatienceMs = 5_000;

type Counted = { n: number };

@Injectable()
export class Watch implements OnApplicationBootstrap {
  constructor(
    private readonly db: Database,
    private readonly governor: GovernorStore,
    private readonly chains: AuditLog,
    private readonly groups: GroupLag,
    private readonly lag: KafkaLag,
  ) {}

  onApplicationBootstrap(): void {
    const { groupLag, groupLagSum, groupOffset, topicOffset, deadLetters, brokenChains, ...tables } = metrics;
    ask([groupLag, groupLagSum, groupOffset, topicOffset, deadLetters], () => inTime(this.offsets()));
    ask([brokenChains], () => this.walkChains(), chainsEveryMs);
    ask(Object.values(tables), () => this.readTables());
  }

  private async offsets(): Promise<void> {
    const { groupLag, groupLagSum, groupOffset, topicOffset, deadLetters } = metrics;
    const sums = new Map<string, { consumergroup: string; topic: string; lag: number }>();
    for (const { groupId, topic, partition, lag, committed, end } of await this.groups.lag(Object.keys(consumption))) {
      // Whether a group reads a topic is told by its commits; what it reads no more is not its lag.
      if (!consumption[groupId]!.includes(topic)) continue;
      const labels = { consumergroup: groupId, topic, partition };
      groupLag.set(labels, Math.max(0, lag));
      groupOffset.set(labels, Number(committed));
      topicOffset.set({ topic, partition }, Number(end));
      const sum = sums.get(`${groupId} ${topic}`) ?? { consumergroup: groupId, topic, lag: 0 };
      sums.set(`${groupId} ${topic}`, { ...sum, lag: sum.lag + Math.max(0, lag) });
    }
    for (const { lag, ...labels } of sums.values()) groupLagSum.set(labels, lag);
    deadLetters.set(await this.lag.deadLetters());
  }

  private async walkChains(): Promise<void> {
    let broken = 0;
    for (const { id } of await this.db.query<{ id: string }>(questions.organizations)) {
      if ((await this.chains.verify(id)).kind === 'broken') broken += 1;
    }
    metrics.brokenChains.set(broken);
  }

  private async readTables(): Promise<void> {
    const { db } = this;
    const classes = await db.query<Counted & { class: string }>(questions.reconciled);
    for (const name of ['equal', 'on_the_way', 'excluded', 'differs', 'unexplained', 'held', 'failed', 'uncertain'])
      metrics.reconciled.set({ class: name }, classes.find((row) => row.class === name)?.n ?? 0);
    // A family that is empty again must not stay on the board.
    metrics.held.reset();
    for (const { family, n } of await db.query<Counted & { family: string }>(questions.held))
      metrics.held.set({ family }, n);
    const [ages] = await db.query<Record<string, number | null>>(questions.ages);
    metrics.uncertainAge.set(ages!.uncertain ?? 0);
    metrics.outboxAge.set(Math.max(0, ages!.outbox ?? 0));
    metrics.outboxRecords.set({ state: 'waiting' }, ages!.waiting ?? 0);
    metrics.outboxRecords.set({ state: 'refused' }, ages!.refused ?? 0);
    // Without a company there is no token that ends.
    if (ages!.token === null) forget(metrics.tokenExpiry);
    else metrics.tokenExpiry.set(ages!.token!);
    if (ages!.key === null) forget(metrics.tokenKeyAge);
    else metrics.tokenKeyAge.set(ages!.key!);
    metrics.captureAge.set(ages!.capture ?? 0);
    metrics.captureFailing.set(ages!.failing ?? 0);
    metrics.databaseConnections.set(ages!.connections ?? 0);
    metrics.databaseBytes.set(ages!.bytes ?? 0);
    const statuses = await db.query<Counted & { status: string }>(questions.companies);
    for (const status of ['connected', 'reconnect_needed', 'disconnected'])
      metrics.companies.set({ status }, statuses.find((row) => row.status === status)?.n ?? 0);
    for (const { purpose, n } of await db.query<Counted & { purpose: string }>(questions.handovers))
      metrics.handovers.set({ purpose }, n);
    await this.readJobs();
    await this.readQuota();
  }

  private async readJobs(): Promise<void> {
    metrics.jobs.reset();
    metrics.jobRecords.reset();
    type Row = Counted & { kind: string; state: string; records: number };
    for (const { kind, state, n, records } of await this.db.query<Row>(questions.jobs)) {
      metrics.jobs.set({ kind, state }, n);
      metrics.jobRecords.inc({ kind }, records);
    }
  }

  private async readQuota(): Promise<void> {
    const realms = await this.db.query<{ id: string }>(questions.realms);
    const uses = [...(await this.governor.quotaUse(realms.map(({ id }) => id))).values()];
    const nowMs = Date.now();
    metrics.quotaFrozen.set(uses.filter((use) => (use.frozenUntil?.getTime() ?? 0) > nowMs).length);
    const shares = uses.map((use) => use.lastMinute / use.perMinute).sort((a, b) => b - a);
    for (let rank = 1; rank <= shownRanks; rank += 1) metrics.quotaUse.set({ rank }, shares[rank - 1] ?? 0);
  }
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Kafka did not answer in time')), kafkaPatienceMs);
  });
  return Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
