// What a person does after our own state was lost. No alert fires for these: somebody pulls a plug, or restores a backup. Same
// four headings as the runbooks of alerts.
import type { Step } from './alerts/index.js';

export interface Procedure {
  name: string;
  summary: string;
  meaning: string;
  impact: string;
  diagnosis: Step[];
  mitigation: string[];
}

export const procedures: readonly Procedure[] = [
  {
    name: 'DatabaseRestored',
    summary: 'PostgreSQL was set back to an earlier moment',
    meaning:
      'Our tables are as they were at the moment of the backup; Kafka and QuickBooks went on. Records that were written since then are in the targets, and no link knows them.',
    impact:
      'Nothing is made twice and nothing is lost, as long as the backup is younger than what Kafka keeps (7 days of desired records, 30 of results). Each app begins where the restored database stands (`consumer_places`): what is desired comes again, results give links their records back before anything is sent, and cursors of the sources read again from their restored time. What a person set up since the backup (companies, syncs, mapping rules, decisions on held records) is gone and must be entered again; the audit topic tells what it was. A token that was renewed since then is the old one again: QuickBooks accepts it or the company says "reconnect".',
    diagnosis: [
      {
        say: 'Whether it was noticed: the writer says "the database was set back", each app "the database is behind Kafka"',
        run: 'grep -hE "set back|behind Kafka" logs/*.log',
      },
      {
        say: 'Up to where each group stands',
        sql: 'select group_id, topic, sum(next_offset) as records, max(noted_at) as noted from consumer_places group by 1, 2 order by 1, 2;',
      },
      {
        say: 'Links whose record was found again and not looked at yet',
        sql: "select entity_type, count(*) from links where applied_version = '' group by 1 order by 1;",
      },
      {
        say: 'Companies that must be connected again',
        sql: "select realm_id, name, status_reason from companies where status = 'reconnect_needed';",
      },
      { say: 'Whether all is well, when it has come to rest', run: 'npm run verify' },
    ],
    mitigation: [
      'Before the restore: stop all apps. A process that goes on under a restored database may hold a right to write (fence) that the database has forgotten; the writer raises all fences when it notices.',
      'Restore, then start all apps. The writer sends nothing until the results since then are compared and what was desired is taken in again.',
      'Connect the companies that say "reconnect"; enter again what was set up since the backup.',
      'A backup older than seven days: start a backfill of every sync as well (`npm run syncctl -- backfill SYNC`).',
      'Rehearse it: `npm run recovery -- --only restore`.',
    ],
  },
  {
    name: 'KafkaDataLost',
    summary: 'A topic, or all of Kafka, lost its records',
    meaning:
      'A topic ends before the place that its readers had reached. Our tables and both companies are whole; what was in the log and not yet read is gone, and so is the log of changes that replays read.',
    impact:
      'Noticed when the apps start: the mapper asks for a backfill of every sync when qbo.changes is lost, writer and attachment worker ask for a replay when what was desired is lost. Webhooks that were lost are found by the next periodic look. Results and audit events that the sync log had not read yet are missing there; dead letters are gone. Nothing is made twice: records that the target has cost one comparison.',
    diagnosis: [
      { say: 'Whether it was noticed', run: 'grep -h "Kafka lost records" logs/*.log' },
      {
        say: 'The jobs that make it anew, and why they were started',
        sql: "select sync_id, kind, state, params ->> 'because' as because, error from jobs where params ? 'because' order by created_at desc;",
      },
      { say: 'Whether all is well, when they are done', run: 'npm run verify' },
    ],
    mitigation: [
      'Give Kafka empty disks and start it; topics are made anew by the apps. Then restart all apps: a process that kept running does not look back.',
      'The schema registry keeps its schemas in PostgreSQL. When that is lost as well, the apps register them again, under other ids; old records cannot be read, and there are none.',
      'A backfill of a large company takes calls of its month: `npm run syncctl -- sync SYNC` shows its progress.',
      'Rehearse it: `npm run recovery -- --only topics`.',
    ],
  },
];
