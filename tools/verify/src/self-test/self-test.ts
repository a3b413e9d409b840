// `npm run verify -- --selftest`: is the checker awake? One small installation in which all thirteen invariants hold; then mistakes
// are planted one after the other into the running QuickBooks, the tables and the topics, and each must be named.
import type { Report } from '../report.js';
import { verify, type VerifyOptions } from '../verify.js';
import { plants, type Plant } from './plants.js';
import { Scene } from './scene.js';

/** After the last plant nothing comes to rest: that is what it is about. */
const restMs = 4_000;

export async function selfTest(say: (line: string) => void): Promise<boolean> {
  const scene = await Scene.open(say);
  try {
    const healthy = await verify(scene.places);
    if (!healthy.ok) {
      for (const line of healthy.lines) say(line);
      say('verify-selftest: the installation is not sound before anything is planted');
      return false;
    }
    say('nothing is planted: all thirteen hold');
    let named = 0;
    for (const plant of plants.filter(({ alive }) => alive)) named += Number(await tryOut(scene, plant, {}, say));
    await scene.stopApps();
    for (const plant of plants.filter(({ alive }) => !alive))
      named += Number(await tryOut(scene, plant, { replay: 'skip', restMs }, say));
    say(`verify-selftest: planted=${plants.length} named=${named}`);
    return named === plants.length;
  } finally {
    await scene.close();
  }
}

async function tryOut(scene: Scene, plant: Plant, o: VerifyOptions, say: (line: string) => void): Promise<boolean> {
  const expected = await plant.plant(scene);
  const report = await verify(scene.places, o);
  const found = saidOf(report, plant.invariant).find((what) => what.includes(expected));
  if (found !== undefined) say(`${plant.invariant} ok: ${plant.what}: ${found}`);
  else {
    say(`${plant.invariant} MISSED: ${plant.what}; expected "${expected}"`);
    for (const line of report.lines) say(`    ${line}`);
  }
  return found !== undefined;
}

function saidOf({ judgements }: Report, id: string): string[] {
  const verdict = judgements.find((one) => one.id === id)?.verdict;
  return verdict?.kind === 'violated' ? verdict.violations.map(({ what }) => what) : [];
}
