// Which realms deliveries may name, remembered: the door answers within milliseconds and must not ask PostgreSQL each time.
// What is not known is asked again soon, because a company may be connected at any moment; a lost hint heals by the
// periodic look. While PostgreSQL is away every realm passes: a hint too many costs nothing, a lost one costs freshness.
import type { Clock } from '#common/clock';
import type { Log } from '#common/logging';
import type { RealmRole } from '#storage';

const sourceForMs = 60_000;
const otherForMs = 5_000;
// Strangers must not fill the memory with realms that do not exist.
const maxRemembered = 50_000;

export class KnownRealms {
  private readonly roles = new Map<string, { role: RealmRole; untilMs: number }>();

  constructor(
    private readonly store: { roleOf(realmId: string): Promise<RealmRole> },
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Without waiting when it is remembered. */
  roleOf(realmId: string): RealmRole | Promise<RealmRole> {
    const known = this.roles.get(realmId);
    return known && known.untilMs > this.clock.nowMs() ? known.role : this.ask(realmId);
  }

  private async ask(realmId: string): Promise<RealmRole> {
    let role: RealmRole;
    try {
      role = await this.store.roleOf(realmId);
    } catch (error) {
      this.log.warn({ realm: realmId, err: error }, 'realm not looked up, taken as a source');
      return 'source';
    }
    if (this.roles.size >= maxRemembered) this.roles.clear();
    this.roles.set(realmId, { role, untilMs: this.clock.nowMs() + (role === 'source' ? sourceForMs : otherForMs) });
    return role;
  }
}
