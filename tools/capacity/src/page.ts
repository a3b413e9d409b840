// docs/capacity.md from what was measured. Pure.
export interface Measured {
  at: string;
  machine: string;
  load: { before: number; after: number };
  pairs: number;
  records: number;
  edits: number;
  /** CPU seconds and wall seconds of each part of the run */
  backfill: Part;
  live: Part;
  replay: Part;
  /** name -> MB */
  memory: { name: string; restMb: number; peakMb: number }[];
  tables: Size[];
  topics: Size[];
}

export interface Size {
  name: string;
  bytes: number;
}

export interface Part {
  changes: number;
  seconds: number;
  /** process -> CPU seconds */
  cpu: Record<string, number>;
}

const round = (value: number, digits = 1): string => value.toFixed(digits);
const ms = (seconds: number, changes: number): string => round((1000 * seconds) / changes, 2);
export const own = (part: Part): number =>
  Object.entries(part.cpu)
    .filter(([name]) => !notOurs.has(name))
    .reduce((sum, [, seconds]) => sum + seconds, 0);
const notOurs = new Set(['postgresql', 'kafka', 'registry']);
export const perCore = (part: Part): number => part.changes / own(part);

/** Largest first; what is less than a hundredth of the whole is one line. */
function shares(sizes: readonly Size[], records: number): string {
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = [...sizes].sort((a, b) => b.bytes - a.bytes).filter(({ bytes }) => bytes >= total / 100);
  const rest = total - rows.reduce((sum, { bytes }) => sum + bytes, 0);
  return [...rows, ...(rest > 0 ? [{ name: 'others', bytes: rest }] : []), { name: '**all**', bytes: total }]
    .map(({ name, bytes }) => `| ${name} | ${Math.round(bytes / records)} | ${round((100 * bytes) / total)} % |`)
    .join('\n');
}

export function capacityPage(m: Measured): string {
  const parts = { backfill: m.backfill, 'live edits': m.live, replay: m.replay };
  const names = Object.keys(m.backfill.cpu);
  const postgresPerRecord = m.tables.reduce((sum, { bytes }) => sum + bytes, 0) / m.records;
  const kafkaPerRecord = m.topics.reduce((sum, { bytes }) => sum + bytes, 0) / m.records;
  const gigabytes = (bytes: number): string => round((bytes * 1_000_000) / 1e9);
  return `<!-- Written by "npm run capacity": measured, not edited. -->

# Capacity

Measured ${m.at} on ${m.machine}; load ${round(m.load.before)} before, ${round(m.load.after)} after (other work on the machine makes
a CPU second worth less, so these are floors). Infrastructure, emulator, the six apps and the load ran on the same machine.
${m.records} records of ${m.pairs} companies were carried by backfill, ${m.edits} were then edited one by one as webhooks, and
everything was replayed. \`npm run capacity\` measures again and writes this page.

## Changes a second and core

CPU time that one change costs, in milliseconds, over the whole life of it: captured, mapped, written, told to the sync log.

| process | ${Object.keys(parts).join(' | ')} |
| --- | ${Object.keys(parts)
    .map(() => '---:')
    .join(' | ')} |
${names
  .map(
    (name) =>
      `| ${name} | ${Object.values(parts)
        .map((part) => ms(part.cpu[name] ?? 0, part.changes))
        .join(' | ')} |`,
  )
  .join('\n')}
| **the six apps** | ${Object.values(parts)
    .map((part) => ms(own(part), part.changes))
    .join(' | ')} |
| **changes a second and core of the apps** | ${Object.values(parts)
    .map((part) => round(perCore(part)))
    .join(' | ')} |
| changes a second seen here, everything on one machine | ${Object.values(parts)
    .map((part) => round(part.changes / part.seconds))
    .join(' | ')} |

QuickBooks takes 1,660 operations a minute of one company in batches (27.7 a second) and 500 single ones (8.3). So one core of the
apps keeps ${round(perCore(m.backfill) / 27.7, 1)} companies in backfill at QuickBooks' own limit, or ${round(perCore(m.live) / 8.3, 1)} with live edits without end;
companies at rest cost nothing but the look every few minutes.

## Bytes a record

| table (with indexes) | bytes a record | share |
| --- | ---: | ---: |
${shares(m.tables, m.records)}

| topic | bytes a record | share |
| --- | ---: | ---: |
${shares(m.topics, m.records)}

A million records after their backfill and one replay: ${gigabytes(postgresPerRecord)} GB in PostgreSQL, ${gigabytes(kafkaPerRecord)} GB in Kafka for each replica.
Later edits add to the sync log (kept by month), to calls and attempts (30 days, \`SYNC_CALLS_KEPT\`) and to topics until they are
compacted or their time is over; a link is one row however often it changes.

## Memory

Resident, MB: at rest after the start, and the most during the run.

| process | at rest | most |
| --- | ---: | ---: |
${m.memory.map(({ name, restMb, peakMb }) => `| ${name} | ${Math.round(restMb)} | ${Math.round(peakMb)} |`).join('\n')}

Limits in [k8s](../k8s) are 512 Mi for an app.
`;
}
