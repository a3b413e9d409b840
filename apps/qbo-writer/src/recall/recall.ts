// Whether this database still knows what was written: every result that was announced is compared with its link, from the
// place this database remembers to the end of sync.results. In ordinary life each says what its link says, because it was
// announced after the link was committed. In a database that was restored to an earlier moment the results of the time since
// are news: their records get their links back (storage: recalled.ts) before anything is sent, and sending waits until what
// was desired since then has been taken in again. So a restore costs reads, and no record is made twice.
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import { topics, type ResultEvent } from '#contracts';
import type { KafkaClient, TopicReader } from '#kafka';
import { recallTargets, type AnnouncedResult, type ConsumerPlaces, type Database } from '#storage';

/** Under this name the places of the comparison stand in `consumer_places`; no group of Kafka has it. */
const group = 'sync-qbo-writer-recall';
const topic = topics.results.name;
/** Between two comparisons of a running process: for a database that was restored under its feet. */
const lookMs = 60_000;
const retryMs = 1_000;
/** What was desired since the restored moment is taken in at thousands a second. Longer is another trouble, and held work is worse. */
const takenInWithinMs = 10 * 60_000;

export class Recall {
  constructor(
    private readonly ports: {
      db: Database;
      places: ConsumerPlaces;
      kafka: Pick<KafkaClient, 'port' | 'topicPrefix'>;
      reader: TopicReader;
      clock: Clock;
      log: Log;
      /** of the consumer that takes in what is desired */
      intakeGroup: string;
      stopping: AbortSignal;
    },
  ) {}

  /** Resolves when sending may begin. */
  async before(): Promise<void> {
    const { stopping, clock, log } = this.ports;
    while (!stopping.aborted) {
      try {
        if ((await this.compare()) > 0) await this.takenIn();
        return;
      } catch (error) {
        log.warn({ err: error }, 'what was written cannot be compared yet; nothing is sent before');
        await clock.sleep(retryMs, stopping);
      }
    }
  }

  async run(): Promise<void> {
    const { stopping, clock, log } = this.ports;
    while (!stopping.aborted) {
      await clock.sleep(lookMs, stopping);
      if (stopping.aborted) return;
      await this.compare().catch((error: unknown) => log.warn({ err: error }, 'what was written was not compared'));
    }
  }

  /** Answers how many links had forgotten their record. */
  private async compare(): Promise<number> {
    const { db, places, kafka, reader, log, stopping } = this.ports;
    const name = kafka.topicPrefix + topic;
    const ends = await kafka.port.offsets(name);
    const known = new Map((await places.load(group)).map(({ partition, next }) => [partition, next]));
    const next = ends.map(({ partition, high }) => ({ topic: name, partition, next: high }));
    const isNew = ends.some(({ partition, high }) => {
      const place = known.get(partition);
      return place !== undefined && place < high;
    });
    let recalled = 0;
    let results = 0;
    let oldest: string | undefined;
    if (isNew) {
      // A partition that this database never knew begins where it is now; one that lost its records, at its end.
      const fromOffsets = Object.fromEntries(
        ends.map(({ partition, high }) => {
          const place = known.get(partition) ?? high;
          return [partition, String(place > high ? high : place)];
        }),
      );
      const read = await reader.read<ResultEvent>(topic, { fromOffsets, signal: stopping }, async (batch) => {
        const announced = batch.records.flatMap(({ value }) => (value && isRecord(value) ? [value] : []));
        const found = await recallTargets(db, announced);
        results += announced.length;
        recalled += found;
        const [first] = announced;
        if (found > 0 && first && (oldest === undefined || first.settledAt < oldest)) oldest = first.settledAt;
      });
      if (!read.complete) return 0;
    }
    await places.note(group, next);
    if (recalled > 0) {
      log.error(
        { recalled, results, since: oldest },
        'the database was set back: records written since then have their links again, and what is desired is taken in again',
      );
    }
    return recalled;
  }

  /** Until the intake has reached the end that the log of desired records has now. */
  private async takenIn(): Promise<void> {
    const { kafka, places, clock, stopping, log, intakeGroup } = this.ports;
    const name = kafka.topicPrefix + topics.writes.name;
    const ends = await kafka.port.offsets(name);
    const deadlineMs = clock.nowMs() + takenInWithinMs;
    while (!stopping.aborted) {
      const now = new Map(
        (await places.load(intakeGroup)).filter((one) => one.topic === name).map((one) => [one.partition, one.next]),
      );
      if (ends.every(({ partition, low, high }) => high === low || (now.get(partition) ?? 0n) >= high)) return;
      if (clock.nowMs() > deadlineMs)
        return log.error({}, 'what is desired was not taken in; sending begins all the same');
      await clock.sleep(500, stopping);
    }
  }
}

/** A result that says which record of the target it is about, and that it is there. */
const isRecord = (value: ResultEvent): value is ResultEvent & AnnouncedResult =>
  value.targetId !== undefined &&
  ['created', 'updated', 'voided', 'adopted', 'unchanged', 'drift'].includes(value.outcome);
