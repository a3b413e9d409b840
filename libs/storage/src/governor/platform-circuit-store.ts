// The platform's circuit as all processes share it: one row, changed where it still has the version that was decided on. Who
// changes it hears so at once; all others hear with the governor's next statement, which every call needs anyway. So nothing is
// sent on a circuit that opened before the call's own grant, and a quiet process asks nothing.
import {
  closedPlatform,
  platformLeave,
  probed,
  probeTaken,
  tripped,
  type CallPurpose,
  type PlatformCircuit,
  type PlatformLeave,
} from '#core';
import type { Database } from '../database.js';

export interface CompanyCircuit {
  state: 'open' | 'half-open';
  since: Date;
}

/** What a process that died left open is not shown for ever: an open circuit is tried again, and told, every few seconds of work. */
const believedMs = 5 * 60_000;
/** A row that another process changed meanwhile is read and decided on anew, this often at most. */
const tries = 5;

/** In a statement of the governor: `null` while it was never changed. */
export const circuitColumn = '(select state from platform_circuit) as circuit';

export class PlatformCircuitStore {
  private copy: PlatformCircuit = closedPlatform;

  constructor(
    private readonly db: Database,
    private readonly nowMs: () => number,
    private readonly process: string,
    private readonly onChange: (circuit: PlatformCircuit) => void,
  ) {}

  get current(): PlatformCircuit {
    return this.copy;
  }

  leave(realmId: string, purpose: CallPurpose): PlatformLeave {
    return platformLeave(this.copy, this.nowMs(), realmId, purpose);
  }

  /** What a statement brought along. */
  heard(stored: unknown): void {
    if (stored === null || typeof stored !== 'object' || !('version' in stored)) return;
    const circuit = stored as PlatformCircuit;
    if (circuit.version <= this.copy.version) return;
    const changed = circuit.open !== this.copy.open;
    this.copy = circuit;
    if (changed) this.onChange(circuit);
  }

  /** Our breaker opened: for everybody. */
  async trip(): Promise<void> {
    await this.change((circuit) => tripped(circuit, this.nowMs()));
  }

  /** Whether this process won the probe. */
  takeProbe(): Promise<boolean> {
    return this.change((circuit) => probeTaken(circuit, this.nowMs()));
  }

  async probed(answered: boolean): Promise<void> {
    await this.change((circuit) => probed(circuit, this.nowMs(), answered));
  }

  async read(): Promise<PlatformCircuit> {
    const [row] = await this.db.query<{ circuit: unknown }>(`select ${circuitColumn}`);
    this.heard(row?.circuit);
    return this.copy;
  }

  /** A company's own circuit, as this process sees it; kept to be shown. */
  async tell(realmId: string, state: 'closed' | 'open' | 'half-open'): Promise<void> {
    if (state === 'closed') {
      await this.db.query('delete from company_circuits where realm_id = $1 and process = $2', [realmId, this.process]);
      return;
    }
    await this.db.query(
      `insert into company_circuits (realm_id, process, state, changed_at) values ($1, $2, $3, now())
       on conflict (realm_id, process) do update set state = excluded.state, changed_at = excluded.changed_at`,
      [realmId, this.process, state],
    );
  }

  /** Companies whose circuit is not closed in some process. */
  async companies(realmIds: readonly string[]): Promise<Map<string, CompanyCircuit>> {
    const rows = await this.db.query<CompanyCircuit & { realmId: string }>(
      `select realm_id as "realmId", max(state) as state, min(changed_at) as since from company_circuits
       where realm_id = any($1) and changed_at > now() - $2::float8 * interval '1 ms' group by realm_id`,
      [realmIds, believedMs],
    );
    return new Map(rows.map(({ realmId, state, since }) => [realmId, { state, since }]));
  }

  private async change(decide: (circuit: PlatformCircuit) => PlatformCircuit | undefined): Promise<boolean> {
    for (let left = tries; left > 0; left -= 1) {
      const before = await this.read();
      const after = decide(before);
      if (!after) return false;
      const stored = await this.db.query<{ version: string }>(
        `insert into platform_circuit (version, state) values ($1, $2)
         on conflict (singleton) do update set version = excluded.version, state = excluded.state
         where platform_circuit.version = $3 returning version`,
        [after.version, JSON.stringify(after), before.version],
      );
      if (stored.length > 0) {
        this.heard(after);
        return true;
      }
    }
    return false;
  }
}
