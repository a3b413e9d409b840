// The part of `npm run observe:check` that needs a running system: the demo with a real Prometheus beside it, rare states made
// on purpose, every query of every board, every command of every runbook.
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { appNames } from '../../../dev/src/apps.js';
import { Demo } from '../../../demo/src/demo.js';
import type { Screen } from '../../../demo/src/screen.js';
import { Installation } from '../../../installation/src/installation.js';
import { Database } from '../../../verify/src/gather/tables.js';
import { choices } from '../boards/boards.js';
import { panels } from './panels.js';
import { disconnect, provoke, seen } from './rare.js';
import { drawn } from './rendering.js';
import { runbookCommands } from './runbook-commands.js';
import { alarm, header, objectivesTable } from '../live/objectives-table.js';
import { Prometheus } from '../live/prometheus.js';
import { documented } from '../metrics-page.js';
import type { Metric } from '../metrics-page.js';

export interface Figures {
  panels: number;
  alive: number;
  metrics: number;
  documented: number;
  /** what is not as it should be */
  wrong: string[];
}

/** Companies have long numbers in QuickBooks, everything of ours that has an id has a UUID; no closed set of a label looks so. */
const someId = /^(?!#).*="[^"]*(?:\d{9,}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4})[^"]*".*$/m;

/** Families that the six apps serve and that are ours, and samples that name a company, a sync or a record. */
async function served(installation: Installation): Promise<{ names: Set<string>; betrayed: string[] }> {
  const names = new Set<string>();
  const betrayed: string[] = [];
  for (const app of appNames) {
    const text = await (await fetch(`${installation.url(app)}/metrics`)).text();
    for (const [, name] of text.matchAll(/^# TYPE (\S+) /gm)) if (/^(sync|kafka)_/.test(name!)) names.add(name!);
    const found = someId.exec(text);
    if (found) betrayed.push(`${app} serves ${found[0]}`);
  }
  return { names, betrayed };
}

/** @param picture file for a drawing of the board Overview */
export async function watch(metrics: readonly Metric[], screen: Screen, picture?: string): Promise<Figures> {
  const wrong: string[] = [];
  screen.phase('Kafka, schema registry, PostgreSQL and the QuickBooks emulator start');
  const installation = await Installation.start(() => undefined);
  let prometheus: Prometheus | undefined;
  let database: Database | undefined;
  try {
    const demo = new Demo(
      { quiet: true, stay: false, observe: true, workMs: 20_000, seed: 7 },
      screen,
      installation,
      async () => void (prometheus = await Prometheus.start(installation)),
    );
    const verdict = await demo.run();
    screen.line(verdict.line);
    if (!verdict.equal) wrong.push('the demo itself is not equal');
    const watching = prometheus!;
    screen.line(`Prometheus ${watching.version}, scraping six apps every two seconds`);
    screen.table(header, (await objectivesTable(watching)).rows, true);

    const places = installation.places();
    database = new Database(places.databaseUrl, places.databaseSchema);
    screen.phase('every command of every runbook');
    const { source, target, syncId } = demo.made;
    const [link] = await database.rows<{ entity_type: string; source_id: string; organization_id: string }>(
      `select entity_type, source_id, organization_id from links where source_realm_id = '${source}' and entity_type = 'Invoice' and state = 'settled' limit 1`,
    );
    const [job] = await database.rows<{ id: string }>(`select id from jobs where sync_id = '${syncId}' limit 1`);
    const ran = await runbookCommands({
      ...{ database, prometheus: watching },
      env: {
        ...process.env,
        ...{ CONTROL: places.control!.url, AUDIT: places.control!.auditUrl, SYNC_ADMIN_KEY: places.control!.adminKey },
      },
      fill: (text) =>
        text
          .replace('/v1/syncs/{id}', `/v1/syncs/${syncId}`)
          .replace('/v1/jobs/{id}', `/v1/jobs/${job!.id}`)
          .replace(/\{(realm|realmId)\}/, source)
          .replace('{organizationId}', link!.organization_id)
          .replace('{type}', link!.entity_type)
          .replace(/\{(sourceId|id)\}/, link!.source_id),
    });
    wrong.push(...ran.wrong.map((each) => `runbook ${each}`));
    screen.line(`runbooks: ${ran.commands} commands, ${ran.wrong.length} that did not run`);

    screen.phase('rare states are made: dead letter, 429, held, failed, disconnected');
    await provoke(installation, demo);
    const first = await seen(watching, /^(?!.*[Cc]onnect)/);
    await disconnect(installation, demo, places.clientId!);
    const found = [...first, ...(await seen(watching, /[Cc]onnect/))];
    screen.table(
      ['made on purpose', 'seen by', 'value'],
      found.map(({ what, expr, value }) => [
        what,
        expr,
        value === undefined ? 'nothing' : String(Number(value.toFixed(2))),
      ]),
      true,
    );
    for (const { what, expr, value } of found) if (!((value ?? 0) > 0)) wrong.push(`${what} is not seen: ${expr}`);

    screen.phase('every query of every board');
    // Lines rest on the last scrapes too.
    await sleep(5_000);
    const judged = await panels(watching, database, [source, target]);
    for (const { board, title, silent } of judged)
      wrong.push(...silent.map((text) => `board ${board}, panel "${title}" shows nothing: ${text}`));
    for (const sql of choices())
      if ((await database.rows(sql)).length === 0) wrong.push(`nothing to choose from: ${sql}`);
    const state = await alarm(watching);
    wrong.push(...state.broken.map((each) => `rule ${each}`));
    wrong.push(...(await watching.missed()).map((each) => `not scraped: ${each}`));
    screen.line(
      `rules: ${state.loaded} loaded, ${state.broken.length} broken; loud: ${state.loud.join(', ') || 'none'}`,
    );

    if (picture !== undefined) {
      await writeFile(picture, await drawn(watching, 'overview'));
      screen.line(`board Overview drawn from this run: ${picture}`);
    }
    const { names: families, betrayed } = await served(installation);
    wrong.push(...betrayed);
    const known = new Set(documented(metrics).map(({ name }) => name));
    const undocumented = [...families].filter((name) => !known.has(name));
    wrong.push(...undocumented.map((name) => `${name} is served and not in docs/metrics.md`));
    wrong.push(
      ...metrics.filter(({ name }) => !families.has(name)).map(({ name }) => `${name} is documented and not served`),
    );
    return {
      ...{ panels: judged.length, alive: judged.filter(({ silent }) => silent.length === 0).length },
      ...{ metrics: families.size, documented: families.size - undocumented.length, wrong },
    };
  } catch (error) {
    screen.line(`logs: ${await installation.keepLogs('observe-logs').catch(() => 'none')}`);
    throw error;
  } finally {
    await database?.close();
    await prometheus?.stop();
    await installation.stop();
  }
}
