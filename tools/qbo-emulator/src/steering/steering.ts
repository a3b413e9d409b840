// The steering API under /_emulator: makes apps and companies, grants access, sets every dial, shows what happened.
// Its errors are `{error: {code, message, hint}}`; its money is text.
import { entityTypes, entityType } from '../catalogue/catalogue.js';
import type { Emulator } from '../emulator.js';
import type { Seat } from '../seat.js';
import { readSwitches } from '../company/behaviour.js';
import { furnishCompanyInfo, furnishEmptyCompany, furnishPreferences } from '../company/empty-company.js';
import { importRecords } from '../engine/import.js';
import { refreshNames } from '../engine/references.js';
import { mergeSingleton } from '../engine/singletons.js';
import { jsonAnswer, type Answer } from '../http/answer.js';
import { DEFAULT_SWITCHES } from '../tax/index.js';
import { QboFault, type Rec } from '../types.js';
import { duplicateSuspects } from './duplicates.js';
import { adjustStartingValue, mergeAsPerson, presets, workAsPerson } from './people.js';

class SteeringError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
  }
}

const bad = (message: string, hint: string): SteeringError => new SteeringError(400, 'BAD_REQUEST', message, hint);
const missing = (message: string, hint: string): SteeringError => new SteeringError(404, 'NOT_FOUND', message, hint);

type Body = Rec;

export class Steering {
  constructor(private readonly emulator: Emulator) {}

  async answer(method: string, path: string, query: URLSearchParams, raw: Buffer): Promise<Answer> {
    try {
      const segments = path
        .split('/')
        .filter((s) => s !== '')
        .slice(1);
      return jsonAnswer(200, (await this.route(method, segments, query, raw)) ?? {});
    } catch (error) {
      if (error instanceof SteeringError) {
        return jsonAnswer(error.status, { error: { code: error.code, message: error.message, hint: error.hint } });
      }
      if (error instanceof QboFault) {
        return jsonAnswer(400, { error: { code: error.code, message: error.message, hint: error.detail } });
      }
      if (error instanceof RangeError) {
        return jsonAnswer(400, {
          error: { code: 'BAD_VALUE', message: error.message, hint: 'See the README, "Steering".' },
        });
      }
      this.emulator.onUnexpected(error);
      const message = error instanceof Error ? error.message : String(error);
      return jsonAnswer(500, { error: { code: 'INTERNAL', message, hint: 'This is a defect of the emulator.' } });
    }
  }

  private async route(method: string, segments: string[], query: URLSearchParams, raw: Buffer): Promise<unknown> {
    const [what = '', second, third] = segments;
    const body = (): Body => readJson(raw);
    const { emulator } = this;
    switch (`${method} ${what}`) {
      case 'GET ':
        return {
          name: 'qbo-emulator',
          companies: [...emulator.seats.keys()],
          now: new Date(emulator.clock.now()).toISOString(),
        };
      case 'POST apps':
        return this.registerApp(body());
      case 'GET apps':
        return emulator.oauth.allApps();
      case 'POST companies':
        if (second === undefined) return this.makeCompany(body());
        return this.companyPost(this.seat(second), third, body());
      case 'GET companies':
        if (second === undefined) return this.listCompanies();
        return this.companyGet(this.seat(second), third, query);
      case 'PUT companies':
        return this.companyPut(this.seat(second ?? ''), third, body());
      case 'DELETE companies':
        this.seat(second ?? '');
        emulator.seats.delete(second!);
        emulator.store?.forget(second!);
        return {};
      case 'POST grants':
        return this.grant(body());
      case 'DELETE grants': {
        const { clientId, realmId } = body();
        const ended = emulator.oauth.disconnect(String(clientId), String(realmId));
        emulator.keepAccess();
        return { ended };
      }
      case 'GET oauth':
        return emulator.oauth.journal();
      case 'PUT oauth':
        emulator.oauth.configure(body());
        emulator.keepAccess();
        return {};
      case 'POST faults':
        return emulator.faults.add(body());
      case 'GET faults':
        return emulator.faults.list();
      case 'DELETE faults':
        if (second === undefined) emulator.faults.clear();
        else if (!emulator.faults.remove(second))
          throw missing(`no fault rule ${second}`, 'GET /_emulator/faults lists them.');
        return {};
      case 'PUT webhooks':
        emulator.webhooks.configure(body());
        return emulator.webhooks.current();
      case 'GET webhooks':
        return {
          dials: emulator.webhooks.current(),
          ...emulator.webhooks.stats(),
          deliveries: emulator.webhooks.deliveries(),
        };
      case 'PUT limits':
        return this.setLimits(body());
      case 'GET limits':
        return { ...emulator.limits.current(), requestIds: emulator.requestIdPolicy };
      case 'GET clock':
        return this.clock();
      case 'PUT clock':
        return this.moveClock(body());
      case 'POST reset':
        emulator.reset();
        return {};
      case 'GET catalogue':
        return entityTypes.map((t) => ({ entity: t.entity, endpoint: t.endpoint, operations: [...t.operations] }));
    }
    throw missing(
      `no steering call ${method} /_emulator/${segments.join('/')}`,
      'The README lists the steering calls.',
    );
  }

  // --- apps and grants --------------------------------------------------------------------------------------------
  private registerApp(body: Body): unknown {
    const app = this.emulator.oauth.registerApp({
      name: String(body['name'] ?? 'app'),
      redirectUris: (body['redirectUris'] as string[] | undefined) ?? [],
      ...(body['webhookUrl'] !== undefined && { webhookUrl: String(body['webhookUrl']) }),
      ...(body['webhookFormat'] !== undefined && { webhookFormat: String(body['webhookFormat']) }),
      // An installation whose configuration is written before the emulator runs chooses its credentials itself.
      ...(body['clientId'] !== undefined && { clientId: String(body['clientId']) }),
      ...(body['clientSecret'] !== undefined && { clientSecret: String(body['clientSecret']) }),
      ...(body['verifierToken'] !== undefined && { verifierToken: String(body['verifierToken']) }),
    });
    this.emulator.keepAccess();
    return { clientId: app.clientId, clientSecret: app.clientSecret, verifierToken: app.verifierToken };
  }

  private grant(body: Body): unknown {
    const clientId = String(body['clientId'] ?? '');
    const realmId = String(body['realmId'] ?? '');
    if (!this.emulator.oauth.app(clientId)) throw missing(`no app ${clientId}`, 'Make one with POST /_emulator/apps.');
    this.seat(realmId);
    const token = this.emulator.oauth.grant(clientId, realmId);
    this.emulator.keepAccess();
    return {
      accessToken: token.access_token,
      refreshToken: token.refresh_token,
      expiresIn: token.expires_in,
      refreshTokenExpiresIn: token.x_refresh_token_expires_in,
    };
  }

  // --- companies --------------------------------------------------------------------------------------------------
  private seat(realmId: string): Seat {
    const seat = this.emulator.seat(realmId);
    if (!seat) throw missing(`no company ${realmId}`, 'POST /_emulator/companies makes one; GET lists them.');
    return seat;
  }

  private listCompanies(): unknown {
    return [...this.emulator.seats.values()].map(({ company }) => ({
      realmId: company.realmId,
      name: company.profile.name,
    }));
  }

  private makeCompany(body: Body): unknown {
    const { emulator } = this;
    const realmId = body['realmId'] === undefined ? undefined : String(body['realmId']);
    if (realmId !== undefined && !/^\d{9,20}$/.test(realmId))
      throw bad('realmId is 9 to 20 digits', 'Leave it out to get one.');
    if (realmId !== undefined && emulator.seat(realmId))
      throw bad(`company ${realmId} exists already`, 'Choose another realmId.');
    const spec = {
      name: String(body['name'] ?? 'Company'),
      ...(realmId !== undefined && { realmId }),
      ...(body['country'] !== undefined && { country: String(body['country']) }),
      ...(body['homeCurrency'] !== undefined && { homeCurrency: String(body['homeCurrency']) }),
      multicurrency: body['multicurrency'] === true,
    };
    const preset = String(body['preset'] ?? 'empty');
    const seat = emulator.openCompany(spec);
    try {
      let extra: Rec = {};
      if (preset === 'import') extra = this.importInto(seat, body, spec.multicurrency);
      else {
        furnishEmptyCompany(seat.company, { multicurrency: spec.multicurrency });
        if (body['preferences']) mergeSingleton(seat.engine, entityType('Preferences'), body['preferences']);
        if (preset !== 'empty') {
          const furnish = presets[preset];
          if (!furnish) throw bad(`no preset ${preset}`, `Known: empty, import, ${Object.keys(presets).join(', ')}.`);
          extra = furnish(emulator, seat, body);
        }
      }
      emulator.keep(seat);
      return { realmId: seat.company.realmId, name: spec.name, counts: this.counts(seat), ...extra };
    } catch (error) {
      emulator.seats.delete(seat.company.realmId);
      throw error;
    }
  }

  private importInto(seat: Seat, body: Body, multicurrency: boolean): Rec {
    const records = body['records'];
    if (typeof records !== 'object' || records === null)
      throw bad('import needs records', 'records: {Invoice: [...], ...}');
    // The chart comes with the records; what they do not bring of the singletons is made up.
    if (!(records as Rec)['CompanyInfo']) furnishCompanyInfo(seat.company);
    const brought = (records as Rec)['Preferences'] !== undefined;
    const accounts = (records as Rec)['Account'] !== undefined;
    if (!accounts) furnishEmptyCompany(seat.company, { multicurrency });
    else if (!brought) furnishPreferences(seat.company, multicurrency);
    if (body['preferences']) mergeSingleton(seat.engine, entityType('Preferences'), body['preferences']);
    const { disagreements } = importRecords(seat.engine, records as Rec);
    return { disagreements };
  }

  private counts(seat: Seat): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const type of entityTypes) {
      const n = seat.company.count(type.entity);
      if (n > 0) counts[type.entity] = n;
    }
    return counts;
  }

  private companyPost(seat: Seat, what: string | undefined, body: Body): unknown {
    if (what === 'edits') {
      const done = workAsPerson(this.emulator, seat, body);
      this.emulator.keep(seat);
      return done;
    }
    if (what === 'merge') {
      const [type, winner, loser] = ['type', 'winner', 'loser'].map((name) => String(body[name] ?? ''));
      mergeAsPerson(this.emulator, seat, type!, winner!, loser!);
      this.emulator.keep(seat);
      return {};
    }
    if (what === 'starting-value') {
      adjustStartingValue(this.emulator, seat, body);
      this.emulator.keep(seat);
      return {};
    }
    throw missing(`no call ${what ?? ''} on a company`, 'edits, merge, starting-value');
  }

  private companyPut(seat: Seat, what: string | undefined, body: Body): unknown {
    if (what === 'switches') {
      seat.company.switches = { ...seat.company.switches, ...readSwitches(body) };
      seat.company.stateMoved = true;
      this.emulator.keep(seat);
      return seat.company.switches;
    }
    if (what === 'preferences') {
      if (body['closingPassword'] !== undefined) {
        seat.company.closingPassword = body['closingPassword'] !== null && body['closingPassword'] !== false;
        delete body['closingPassword'];
      }
      const written = mergeSingleton(seat.engine, entityType('Preferences'), body);
      this.emulator.announce(seat, written.happenings);
      this.emulator.keep(seat);
      return written.rec;
    }
    if (what === 'companyinfo') {
      const written = mergeSingleton(seat.engine, entityType('CompanyInfo'), body);
      this.emulator.keep(seat);
      return written.rec;
    }
    throw missing(`no setting ${what ?? ''} on a company`, 'preferences, companyinfo');
  }

  private companyGet(seat: Seat, what: string | undefined, query: URLSearchParams): unknown {
    const { company } = seat;
    switch (what) {
      case undefined:
        return { realmId: company.realmId, name: company.profile.name, counts: this.counts(seat) };
      case 'stats':
        return this.stats(seat);
      case 'requests': {
        const after = Number(query.get('after') ?? 0);
        return { requests: seat.journal.filter((row) => row.n > after), last: seat.journalCount };
      }
      case 'ledger': {
        const type = query.get('type') ?? undefined;
        const id = query.get('id') ?? undefined;
        return { lines: company.ledger.lines({ ...(type && { type }), ...(id && { id }) }) };
      }
      case 'trial-balance': {
        const rows = company.ledger.trialBalance(query.get('asof') ?? undefined);
        return { asof: query.get('asof') ?? null, rows };
      }
      case 'dump':
        return this.dump(seat);
      case 'switches':
        return { ...DEFAULT_SWITCHES, ...company.behaviour() };
      case 'preferences':
        return company.preferences();
    }
    throw missing(`no view ${what} of a company`, 'stats, requests, ledger, trial-balance, dump');
  }

  private stats(seat: Seat): unknown {
    const measured = this.emulator.limits.stats(seat.company.realmId);
    return {
      ...measured,
      requests: measured.requests,
      reads: seat.counts.reads,
      writes: seat.counts.writes,
      batchItems: seat.counts.batchItems,
      cdcCalls: seat.counts.cdcCalls,
      replayedRequestIds: seat.counts.replayed,
      created: seat.created,
      duplicateSuspects: duplicateSuspects(seat),
    };
  }

  private dump(seat: Seat): unknown {
    const records: Record<string, Rec[]> = {};
    const deleted: Record<string, Rec[]> = {};
    for (const type of entityTypes) {
      const rows = [...seat.company.all(type.entity)].map((rec) => refreshNames(seat.company, type.entity, rec));
      if (rows.length > 0) records[type.entity] = rows;
      const graves = [...seat.company.gravesOf(type.entity).values()];
      if (graves.length > 0) {
        deleted[type.entity] = graves.map((g) => ({
          ...g.rec,
          status: 'Deleted',
          deletedAt: new Date(g.atMs).toISOString(),
        }));
      }
    }
    const makers = Object.fromEntries(
      [...seat.makers].map(([key, { clientId, atMs, requestid }]) => [
        key.replace('|', '/'),
        { app: clientId, at: new Date(atMs).toISOString(), ...(requestid !== undefined && { requestid }) },
      ]),
    );
    const system = seat.company.ledger.systemTransactions();
    return { realmId: seat.company.realmId, records, deleted, makers, system };
  }

  // --- dials ------------------------------------------------------------------------------------------------------
  private setLimits(body: Body): unknown {
    const { requestIds, batch, ...rest } = body;
    if (typeof batch?.shuffleAnswers === 'boolean') this.emulator.batchPolicy.shuffleAnswers = batch.shuffleAnswers;
    if (requestIds) {
      const policy = this.emulator.requestIdPolicy;
      if (typeof requestIds.retentionMs === 'number') policy.retentionMs = requestIds.retentionMs;
      if (requestIds.duplicates === 'replay' || requestIds.duplicates === 'refuse')
        policy.duplicates = requestIds.duplicates;
      if (typeof requestIds.replayErrors === 'boolean') policy.replayErrors = requestIds.replayErrors;
      if (requestIds.forget === true) for (const seat of this.emulator.seats.values()) seat.requestIds.clear();
    }
    this.emulator.limits.configure(rest);
    return {
      ...this.emulator.limits.current(),
      requestIds: this.emulator.requestIdPolicy,
      batch: this.emulator.batchPolicy,
    };
  }

  private clock(): unknown {
    return { now: new Date(this.emulator.clock.now()).toISOString(), mode: this.emulator.options.clock };
  }

  private async moveClock(body: Body): Promise<unknown> {
    const { clock } = this.emulator;
    if (body['now'] !== undefined) {
      const at = Date.parse(String(body['now']));
      if (Number.isNaN(at)) throw bad('now is not a time', 'now: 2026-11-21T12:00:00Z, or advanceMs: 60000');
      if (at < clock.now()) throw bad('time does not run backwards', 'Give a time later than the present.');
      await clock.set(at);
    } else {
      const ms = Number(body['advanceMs']);
      if (!(ms >= 0)) throw bad('advanceMs is a number of milliseconds from 0 up', 'advanceMs: 60000');
      await clock.advance(ms);
    }
    this.emulator.keepAccess();
    return this.clock();
  }
}

function readJson(raw: Buffer): Body {
  if (raw.length === 0) return {};
  try {
    const parsed: unknown = JSON.parse(raw.toString('utf8'));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Body;
  } catch {
    // Said below: a body that is not JSON and one that is not an object are the same mistake to the caller.
  }
  throw bad('the body is not a JSON object', 'Send {"...": ...}.');
}
