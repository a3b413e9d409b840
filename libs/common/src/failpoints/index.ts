// Named points between two effects, at which a test run kills, breaks or freezes the process. Off, which is always outside of
// test runs, a point is one comparison with undefined (`npm run failpoints -- --cost` measures it).
//
// On, a process looks for a file `armed` in the folder it was given: "name action id". Whoever passes the point first takes the
// file away (a rename, so one process only), leaves `fired-<id>` with its pid, and acts. So a point fires once over the whole
// installation, and the run that armed it can tell that it was passed.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the point stands for: the step before it is done, the one after it is not. Groups are acts that pass them. */
export const failpoints = {
  'door.before-publish': 'a webhook was received, Kafka does not have it',
  'door.published': 'Kafka has the notification, the webhook is not answered',
  'notified.before-mark': 'a notification was read, the company is not marked as due',
  'notified.marked': 'the company is due, the offset is not committed',
  'look.leased': 'the company is leased, nothing was read',
  'capture.before-publish': 'changes were read, Kafka does not have them',
  'capture.published': 'Kafka has the changes, nothing remembers that',
  'capture.recorded': 'the changes are remembered and the cursor moved, the transaction is open',
  'look.done': 'the cursor is committed, the lease is held',
  'backfill.page-read': 'a page was read, nothing was published',
  'backfill.page-noted': 'a page was published and noted, the next is not begun',
  'consumer.before-handler': 'a batch was fetched, no handler has it',
  'consumer.before-commit': 'a batch was handled, its offset is not committed',
  'consumer.committed': 'the offset is committed',
  'mapper.before-publish': 'changes were mapped, Kafka does not have the writes',
  'mapper.published': 'Kafka has the writes, the offset is not committed',
  'replay.page-noted': 'a batch of a replay was published and noted',
  'writer.before-intake': 'writes were read, the links do not know them',
  'writer.taken-in': 'the links know what is desired, the offset is not committed',
  'writer.before-claim': 'a call is planned, nothing is written down',
  'writer.claimed': 'the call is written down, it was not sent',
  'writer.before-resend': 'an open call is to be sent again',
  'writer.answered': 'QuickBooks acted and answered, nothing is settled',
  'writer.settling': 'everything is settled, the transaction is open',
  'writer.settled': 'the settlement is committed, nobody was told',
  'qbo.admitted': 'the quota is taken, the request was not sent',
  'qbo.answered': 'QuickBooks answered, the quota was not given back',
  'outbox.before-publish': 'announcements were read, Kafka does not have them',
  'outbox.published': 'Kafka has the announcements, they stand in the outbox',
  'outbox.deleted': 'the announcements are deleted, the transaction is open',
  'lease.acquired': 'a lease was taken, its holder does not know',
  'lease.before-renew': 'a lease is to be renewed',
  'lease.renewed': 'a lease was renewed, its holder does not know',
  'token.before-note': 'the company is locked for a refresh, nothing is written down',
  'token.noted': 'the refresh is written down, it was not asked for',
  'token.answered': 'the new token was given out, it is not stored',
  'token.stored': 'the new token is stored, nobody uses it',
  'upload.claimed': 'an upload is written down, nothing was sent',
  'upload.chunk': 'some bytes of a file were read, not all were sent',
  'upload.answered': 'the target has the file, nothing says so',
  'upload.verified': 'the bytes were read back, nothing says so',
  'audit.before-write': 'events were read, the log does not have them',
  'audit.written': 'the log has the events, the offset is not committed',
  'control.told': "an operator's act and its audit event are written, the transaction is open",
} as const;

export type FailpointName = keyof typeof failpoints;
export const failpointNames = Object.keys(failpoints) as FailpointName[];

export const failpointActions = ['kill', 'throw', 'hang'] as const;
export type FailpointAction = (typeof failpointActions)[number];

export class FailpointReached extends Error {
  override readonly name = 'FailpointReached';

  constructor(point: string) {
    super(`failpoint ${point}`);
  }
}

let armed: ((name: FailpointName) => Promise<void> | undefined) | undefined;

/** To be awaited. Undefined, at the price of a comparison, unless this is a test run. */
export function failpoint(name: FailpointName): Promise<void> | undefined {
  return armed === undefined ? undefined : armed(name);
}

/** @param folder where the run arms points; undefined switches them off again */
export function armFailpoints(folder: string | undefined): void {
  armed = folder === undefined ? undefined : (name) => pass(folder, name);
}

/** Why an environment that asks for failpoints must not have them; undefined: it may, or does not ask. */
export function failpointsRefused(env: Readonly<Record<string, string | undefined>>): string | undefined {
  if (!env.SYNC_FAILPOINTS) return undefined;
  if (env.SYNC_TEST_RUN !== 'yes') return 'SYNC_FAILPOINTS kills this process on purpose and is for test runs only';
  if (['sandbox', 'production'].includes(env.SYNC_QBO_ENVIRONMENT ?? ''))
    return `SYNC_FAILPOINTS must not be set where SYNC_QBO_ENVIRONMENT is ${env.SYNC_QBO_ENVIRONMENT}`;
  return undefined;
}

function pass(folder: string, name: FailpointName): Promise<void> | undefined {
  const file = join(folder, 'armed');
  let asked: string[];
  try {
    asked = readFileSync(file, 'utf8').split(' ');
  } catch {
    return undefined;
  }
  const [wanted, action, id] = asked;
  if (wanted !== name) return undefined;
  const fired = join(folder, `fired-${id}`);
  try {
    renameSync(file, fired);
  } catch {
    // Another process was faster.
    return undefined;
  }
  writeFileSync(fired, JSON.stringify({ name, action, pid: process.pid, at: new Date().toISOString() }));
  if (action === 'throw') return Promise.reject(new FailpointReached(name));
  if (action === 'kill') process.kill(process.pid, 'SIGKILL');
  // The signal may need a moment: nothing after the point may run. And this is what "hang" means.
  return new Promise(() => undefined);
}
