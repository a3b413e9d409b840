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

/** Who passes a point, so that neighbours in the order of cases kill different processes. */
const places: readonly (readonly string[])[] = [
  ['writer.', 'outbox.', 'qbo.', 'token.'],
  ['mapper.', 'replay.'],
  ['door.', 'notified.', 'look.', 'capture.', 'backfill.'],
  ['audit.', 'control.', 'upload.'],
  ['consumer.', 'lease.'],
];

/**
 * Each place's cases spread evenly over the whole: while one process starts again and its group forms anew, the next case
 * strikes elsewhere.
 */
export function spread(cases: readonly Case[]): Case[] {
  const placeOf = ({ point }: Case) => places.findIndex((prefixes) => prefixes.some((one) => point.startsWith(one)));
  const total = new Map<number, number>();
  for (const one of cases) total.set(placeOf(one), (total.get(placeOf(one)) ?? 0) + 1);
  const so = new Map<number, number>();
  return cases
    .map((one) => {
      const place = placeOf(one);
      const nth = so.get(place) ?? 0;
      so.set(place, nth + 1);
      return { one, share: (nth + 0.5) / total.get(place)! };
    })
    .sort((a, b) => a.share - b.share)
    .map(({ one }) => one);
}

export const nameOf = ({ point, action }: Pick<Case, 'point' | 'action'>): string => `${point}:${action}`;

export function casesOf({ only, quick }: { only?: string | undefined; quick: boolean }): Case[] {
  const [wantedPoint, wantedAction] = (only ?? '').split(':');
  return failpointNames
    .filter((point) => (only ? point.startsWith(wantedPoint!) : !quick || quickPoints.has(point)))
    .flatMap((point) => failpointActions.map((action) => ({ point, action, act: actFor(point) })))
    .filter(({ action }) => (wantedAction ? action === wantedAction : !quick || action === 'kill'));
}
