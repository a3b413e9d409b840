// Which case passes which point: a point and an action, and the act that is sure to come by.
import { failpointActions, failpointNames, type FailpointAction, type FailpointName } from '#common/failpoints';

/** What is done so that a point is passed. */
export type Act =
  /** a person makes a customer and an invoice, and changes the invoice before it */
  | 'edit'
  /** the same, and the answer to the customer's making is lost */
  | 'lost answer'
  /** the same, and QuickBooks refuses the access token once */
  | 'refused token'
  /** a person hangs a file on an invoice */
  | 'file'
  | 'backfill'
  | 'replay'
  /** somebody pauses the sync and lets it go on */
  | 'operator';

export interface Case {
  point: FailpointName;
  action: FailpointAction;
  act: Act;
}

const acts: readonly [prefix: string, act: Act][] = [
  ['backfill.', 'backfill'],
  ['replay.', 'replay'],
  ['token.', 'refused token'],
  ['upload.', 'file'],
  ['control.', 'operator'],
  ['writer.before-resend', 'lost answer'],
];

export const actFor = (point: FailpointName): Act => acts.find(([prefix]) => point.startsWith(prefix))?.[1] ?? 'edit';

/** Where the most is at stake: between a call and its settlement, between Kafka and a cursor, between a token and its row. */
const quickPoints: ReadonlySet<FailpointName> = new Set([
  ...(['capture.published', 'capture.recorded', 'mapper.published', 'writer.claimed', 'writer.answered'] as const),
  ...(['writer.settling', 'outbox.published', 'token.answered'] as const),
]);

export function casesOf({ only, quick }: { only?: string | undefined; quick: boolean }): Case[] {
  const [wantedPoint, wantedAction] = (only ?? '').split(':');
  return failpointNames
    .filter((point) => (only ? point.startsWith(wantedPoint!) : !quick || quickPoints.has(point)))
    .flatMap((point) => failpointActions.map((action) => ({ point, action, act: actFor(point) })))
    .filter(({ action }) => (wantedAction ? action === wantedAction : !quick || action === 'kill'));
}
