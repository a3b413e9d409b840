// Every query of every board, asked of the real Prometheus and the real PostgreSQL. A panel is alive when each of its queries
// answers something: a line anywhere in the time watched, a figure now, a row for the company chosen.
import type { Database } from '../../../verify/src/gather/tables.js';
import { queries } from '../boards/boards.js';
import type { Query } from '../boards/boards.js';
import type { Prometheus } from '../live/prometheus.js';

export interface Panel {
  board: string;
  title: string;
  /** empty when alive */
  silent: string[];
}

/** Grafana's own: four scrapes at least; ours come every two seconds, and a rate over 20 s is steadier. */
const rateInterval = '20s';
export const inGrafana = (text: string): string =>
  text.replaceAll('$__rate_interval', rateInterval).replaceAll('$__interval', rateInterval);

/** @param realms companies to choose on the board of a company */
export async function panels(prometheus: Prometheus, database: Database, realms: readonly string[]): Promise<Panel[]> {
  const answers = async ({ language, text, instant }: Query): Promise<boolean> => {
    if (language === 'sql') {
      for (const realm of realms)
        if ((await database.rows(text.replaceAll('$realm', realm))).length === 0) return false;
      return true;
    }
    const series = await (instant ? prometheus.at(inGrafana(text)) : prometheus.over(inGrafana(text)));
    return series.length > 0;
  };
  const found = new Map<string, Panel>();
  for (const query of queries()) {
    const key = `${query.board}/${query.panel}`;
    const panel = found.get(key) ?? { board: query.board, title: query.panel, silent: [] };
    found.set(key, panel);
    const alive = await answers(query).catch((error: Error) => error);
    if (alive !== true) panel.silent.push(alive === false ? query.text : `${query.text}: ${alive.message}`);
  }
  return [...found.values()];
}
