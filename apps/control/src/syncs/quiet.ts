// Whether anything of a sync is still in motion. Pure. Things that wait for a person (held, failed), or for a record that
// never comes (waiting, when nothing else moves), are not motion.
export interface Motion {
  /** links by state */
  links: Readonly<Record<string, number>>;
  attachments: Readonly<Record<string, number>>;
  unfinishedJobs: number;
  /** a look was asked for and not done, or a webhook not answered */
  lookPending: boolean;
  outbox: number;
  /** records of our groups not yet consumed; undefined: Kafka could not be asked */
  kafkaLag: number | undefined;
}

const moving = ['ready', 'sending', 'backoff', 'uncertain'] as const;

/** What moves, one phrase each; empty means quiet. */
export function motionOf(motion: Motion): string[] {
  const found: string[] = [];
  for (const [what, counts] of Object.entries({ links: motion.links, attachments: motion.attachments })) {
    for (const state of moving) if ((counts[state] ?? 0) > 0) found.push(`${counts[state]} ${what} ${state}`);
  }
  if (motion.unfinishedJobs > 0) found.push(`${motion.unfinishedJobs} jobs unfinished`);
  if (motion.lookPending) found.push('a look at the source is due');
  if (motion.outbox > 0) found.push(`${motion.outbox} announcements unpublished`);
  if (motion.kafkaLag === undefined) found.push('Kafka cannot be asked');
  else if (motion.kafkaLag > 0) found.push(`${motion.kafkaLag} records not yet consumed`);
  return found;
}
