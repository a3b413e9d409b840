// What points alone cannot show: a refresh whose answer is lost for good. The company says "reconnect", its work is held, and
// goes on when somebody reconnects it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Installation } from '../../installation/src/installation.js';
import type { TokenEvidence } from '../../verify/src/evidence.js';
import type { Report } from '../../verify/src/report.js';
import type { Bench } from './bench.js';

interface Lost {
  name: string;
  /** how the answer gets lost */
  oauth: Record<string, unknown>;
}

export const lostTokens: readonly Lost[] = [
  { name: 'token answer lost, the old one dead', oauth: { graceMs: 0, loseRefreshAnswers: 1 } },
  { name: 'token answer lost, the old one alive', oauth: { graceMs: 60_000, loseRefreshAnswers: 1 } },
];

export async function loseToken(
  bench: Bench,
  installation: Installation,
  { oauth }: Lost,
): Promise<{ report: Report; went: string }> {
  const { emulator } = installation;
  await renew(bench, installation);
  await emulator.steer('PUT', 'oauth', oauth);
  await bench.refuseToken();
  await bench.edit();
  const status = async (): Promise<string> => (await bench.control.company(bench.target)).status;
  let went = 'went on by itself';
  if (oauth.graceMs === 0) {
    await bench.until('"reconnect"', async () => (await status()) === 'reconnect_needed');
    // Work that comes meanwhile is held with the reason, not tried.
    await bench.edit();
    await bench.until('held work', async () => (await bench.held()) > 0);
    const held = await bench.held();
    await emulator.steer('PUT', 'oauth', { graceMs: 60_000, loseRefreshAnswers: 0 });
    await bench.reconnect();
    went = `${held} links held, went on after reconnecting`;
  } else await sleep(6_000);
  return { report: await bench.judged(), went };
}

/**
 * Ours is the newest value from here on. A renewal whose process was killed before it stored the answer, the case before this
 * one, leaves the value before it alive for its grace: with that the next renewal is no loss at all, and nobody need reconnect.
 */
async function renew(bench: Bench, { emulator }: Installation): Promise<void> {
  const renewals = async (): Promise<number> => {
    const { calls } = await emulator.steer<TokenEvidence>('GET', 'oauth');
    return calls.filter((call) => call.realmId === bench.target && call.status === 200).length;
  };
  const before = await renewals();
  await bench.refuseToken();
  await bench.edit();
  await bench.until('a renewal', async () => (await renewals()) > before);
}
