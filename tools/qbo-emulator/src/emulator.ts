// The whole emulator behind one door: companies with their engines, apps and tokens, quotas, webhooks, fault rules, the
// request journal and the log on disk. The HTTP layers call it; so do the benchmark and the self-check, without a socket.
import { randomInt } from 'node:crypto';
import { RealClock, VirtualClock } from './clock/index.js';
import { entityTypes } from './catalogue/catalogue.js';
import { Company } from './company/company.js';
import { furnishEmptyCompany } from './company/empty-company.js';
import { Engine, type Happening } from './engine/engine.js';
import { FaultRules } from './faults/index.js';
import type { Answer } from './http/answer.js';
import { Limits } from './limits/index.js';
import { OAuth } from './oauth/index.js';
import type { Effect, JournalEntryRow, RememberedAnswer, Seat } from './seat.js';
import { FileStore } from './persistence/store.js';
import type { Rec, TimedClock } from './types.js';
import { Webhooks } from './webhooks/index.js';

export interface EmulatorOptions {
  readonly clock: 'real' | 'virtual';
  readonly dataDir?: string;
  readonly baseUrl: () => string;
  /** Told what is being read from disk, which can take a while. */
  readonly progress?: (text: string) => void;
}

const JOURNAL_KEPT = 20_000;

export interface CompanySpec {
  readonly name: string;
  readonly realmId?: string;
  readonly country?: string;
  readonly homeCurrency?: string;
  readonly multicurrency?: boolean;
}

const HOME_CURRENCIES: Record<string, string> = { US: 'USD', CA: 'CAD', GB: 'GBP', AU: 'AUD', IN: 'INR', FR: 'EUR' };

export class Emulator {
  readonly clock: TimedClock;
  readonly limits: Limits;
  readonly oauth: OAuth;
  readonly webhooks: Webhooks;
  readonly faults: FaultRules;
  readonly store: FileStore | undefined;
  readonly seats = new Map<string, Seat>();
  readonly requestIdPolicy = {
    retentionMs: 24 * 3_600_000,
    replayErrors: false,
    duplicates: 'replay' as 'replay' | 'refuse',
  };
  readonly batchPolicy = { shuffleAnswers: false };
  private readonly costsAwaited = new Set<Seat>();
  logDefects = true;
  defects = 0;
  readonly downloads = new Map<string, { realmId: string; attachableId: string; diesAtMs: number }>();

  constructor(readonly options: EmulatorOptions) {
    this.clock = options.clock === 'virtual' ? new VirtualClock() : new RealClock();
    this.limits = new Limits(this.clock);
    this.faults = new FaultRules(this.clock);
    this.oauth = new OAuth(this.clock, {
      baseUrl: options.baseUrl,
      companies: () =>
        [...this.seats.values()].map((s) => ({ realmId: s.company.realmId, name: s.company.profile.name })),
    });
    this.store = options.dataDir === undefined ? undefined : new FileStore(options.dataDir);
    this.webhooks = new Webhooks(
      this.clock,
      (realmId) =>
        this.oauth.connectedApps(realmId).flatMap((app) =>
          app.webhookUrl
            ? [
                {
                  clientId: app.clientId,
                  url: app.webhookUrl,
                  verifierToken: app.verifierToken,
                  format: app.webhookFormat,
                },
              ]
            : [],
        ),
      this.store,
    );
    if (this.store) this.restore(this.store);
  }

  seat(realmId: string): Seat | undefined {
    return this.seats.get(realmId);
  }

  openCompany(spec: CompanySpec): Seat {
    const country = spec.country ?? 'US';
    const realmId = spec.realmId ?? this.freeRealmId();
    const company = new Company(
      { realmId, name: spec.name, country, homeCurrency: spec.homeCurrency ?? HOME_CURRENCIES[country] ?? 'USD' },
      this.clock,
    );
    const seat: Seat = {
      company,
      engine: new Engine(company),
      requestIds: new Map(),
      journal: [],
      journalCount: 0,
      counts: { reads: 0, writes: 0, batchItems: 0, cdcCalls: 0, replayed: 0 },
      created: {},
      makers: new Map(),
      effects: [],
      files: new Map(),
    };
    this.seats.set(realmId, seat);
    return seat;
  }

  newEmptyCompany(spec: CompanySpec): Seat {
    const seat = this.openCompany(spec);
    furnishEmptyCompany(seat.company, { multicurrency: spec.multicurrency === true });
    this.keep(seat);
    return seat;
  }

  /** Makes what happened last: written to disk, before anybody is answered. */
  keep(seat: Seat, remembered?: { key: string; answer: RememberedAnswer }): void {
    this.store?.append(seat, remembered);
    seat.company.changes.length = 0;
    if (seat.company.switches.costing === 'delayed') this.bookCostsLater(seat);
  }

  /** With `costing: delayed` cost of goods sold follows the sale after a while, as QBO books it minutes later. */
  private bookCostsLater(seat: Seat): void {
    if (this.costsAwaited.has(seat)) return;
    this.costsAwaited.add(seat);
    this.clock.setTimer(seat.company.behaviour().costingDelayMs, () => {
      this.costsAwaited.delete(seat);
      const { company } = seat;
      if (this.seats.get(company.realmId) !== seat || !company.ledger.settleCosts()) return;
      const accounts = [...company.all('Account')].map((account) => account['Id'] as string);
      const none = { customers: [], vendors: [], items: [], documents: [], parentCustomers: [] };
      company.applyEffects({ ...none, accounts, parentAccounts: [] });
      this.store?.append(seat);
      company.changes.length = 0;
    });
  }

  keepFile(seat: Seat, attachable: Rec, content: Buffer): void {
    const id = attachable['Id'] as string;
    attachable['Size'] = content.length;
    attachable['FileAccessUri'] = `/v3/company/${seat.company.realmId}/download/${id}`;
    seat.files.set(id, content);
    this.store?.saveFile(seat, id, content);
  }

  announce(seat: Seat, happenings: readonly Happening[]): void {
    const time = this.clock.now();
    for (const { type, id, act, deletedId } of happenings) {
      this.webhooks.enqueue(seat.company.realmId, {
        type,
        id,
        act,
        time,
        ...(deletedId !== undefined && { deletedId }),
      });
    }
  }

  noteCreated(seat: Seat, type: string, id: string, clientId: string | undefined, requestid?: string): void {
    seat.created[type] = (seat.created[type] ?? 0) + 1;
    seat.makers.set(`${type}|${id}`, {
      clientId,
      atMs: this.clock.now(),
      ...(requestid !== undefined && { requestid }),
    });
  }

  takeEffects(seat: Seat): Effect[] {
    const { effects } = seat;
    seat.effects = [];
    return effects;
  }

  // --- request ids ------------------------------------------------------------------------------------------------
  recall(seat: Seat, key: string): RememberedAnswer | undefined {
    const found = seat.requestIds.get(key);
    if (!found) return undefined;
    if (this.clock.now() - found.atMs > this.requestIdPolicy.retentionMs) {
      seat.requestIds.delete(key);
      return undefined;
    }
    seat.counts.replayed += 1;
    return found;
  }

  remember(seat: Seat, key: string, answer: Answer): { key: string; answer: RememberedAnswer } | undefined {
    if (answer.status >= 300 && !this.requestIdPolicy.replayErrors) return undefined;
    const kept: RememberedAnswer = {
      status: answer.status,
      contentType: answer.contentType,
      body: answer.body.toString(),
      atMs: this.clock.now(),
    };
    seat.requestIds.set(key, kept);
    const oldest = this.clock.now() - this.requestIdPolicy.retentionMs;
    for (const [oldKey, old] of seat.requestIds) {
      if (old.atMs >= oldest) break;
      seat.requestIds.delete(oldKey);
    }
    return { key, answer: kept };
  }

  journal(seat: Seat, row: Omit<JournalEntryRow, 'n'>): void {
    seat.journalCount += 1;
    seat.journal.push({ n: seat.journalCount, ...row });
    if (seat.journal.length > JOURNAL_KEPT * 2) seat.journal.splice(0, seat.journal.length - JOURNAL_KEPT);
  }

  reset(): void {
    this.seats.clear();
    this.downloads.clear();
    this.oauth.reset();
    this.limits.reset(true);
    this.webhooks.reset();
    this.faults.clear();
    this.store?.clear();
  }

  /** A defect of the emulator itself: the client gets a 10000, the person at the console sees where. */
  onUnexpected(error: unknown): void {
    this.defects += 1;
    if (this.logDefects)
      process.stderr.write(
        `emulator defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
  }

  stop(): void {
    this.store?.closeTidily(this.seats.values());
  }

  keepAccess(): void {
    this.store?.saveAccess({ oauth: this.oauth.snapshot(), ...this.clockState() });
  }

  private clockState(): { virtualNowMs: number; aheadMs: number } {
    return { virtualNowMs: this.clock.now(), aheadMs: Math.max(0, this.clock.now() - Date.now()) };
  }

  private restore(store: FileStore): void {
    const access = store.loadAccess();
    if (access) {
      // Time must not run backwards over a restart: what was pushed ahead stays ahead.
      const now = this.options.clock === 'virtual' ? access.virtualNowMs : this.clock.now() + access.aheadMs;
      if (now > this.clock.now()) void this.clock.set(now);
      this.oauth.restore(access.oauth);
    }
    store.loadCompanies(
      (profile) => {
        this.options.progress?.(`loading ${profile.name} (${profile.realmId})`);
        return this.openCompany(profile);
      },
      (seat, lines) => {
        const { company } = seat;
        let records = 0;
        for (const { entity } of entityTypes) records += company.count(entity);
        this.options.progress?.(
          `loaded ${company.profile.name} (${company.realmId}): ${records} records from ${lines} lines`,
        );
        if (company.switches.costing === 'delayed') this.bookCostsLater(seat);
      },
    );
    this.webhooks.resume(store.loadOutbox());
  }

  private freeRealmId(): string {
    for (;;) {
      const id = `93414${String(randomInt(10_000_000_000)).padStart(11, '0')}`;
      if (!this.seats.has(id)) return id;
    }
  }
}
