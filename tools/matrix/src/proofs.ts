// What shows that an act is not possible: it is tried against the emulator, which knows nothing of this system, and what it
// answers is the evidence. Should it do the act, the reason in `impossible.ts` is wrong and the cell is broken. What is a
// decision of ours (settings, budgets) is shown by the mapper leaving the record out, with that reason.
import { definitionOf, defaultTemplate, knownType, mapChange, mergeLayers, type Json } from '#core';
import type { Raw } from '#testing';
import type { ActName } from './acts.js';
import { jsonName, ref, type Bench } from './bench.js';
import { catalogue } from './catalogue.js';
import { mergeable, whyImpossible } from './impossible.js';
import { payBill, rows } from './rows.js';

export type Proof = { kind: 'shown'; evidence: string } | { kind: 'disproved'; how: string };

const shown = (evidence: string): Proof => ({ kind: 'shown', evidence });
const disproved = (how: string): Proof => ({ kind: 'disproved', how });

/** Acts whose proof is that no field of the catalogue can be brought to it: see fields.ts. */
export const fieldActs: readonly ActName[] = ['field set', 'field changed', 'field cleared', 'reference changed'];

/** One record per type to try on, made when first asked for. */
export class Prover {
  private readonly records = new Map<string, Promise<Raw | undefined>>();

  constructor(private readonly b: Bench) {}

  async prove(type: string, act: ActName): Promise<Proof> {
    const reported = knownType(type) ? definitionOf(type).reportedBecause : undefined;
    if (reported !== undefined && whyImpossible(type, act) === reported) return this.leftOut(type, reported);
    if (type === 'TaxService') return shown('documented: operations by entity, only its own address makes tax codes');
    const record = await this.recordOf(type);
    if (!record) return disproved(`there is no ${type} to try on`);
    switch (act) {
      case 'create':
        return this.refused([await this.post(type, '', { Name: 'Tried' })]);
      case 'delete':
      case 'created again':
        return this.refused([await this.post(type, '?operation=delete', keyOf(record))]);
      case 'void': {
        const answers = [
          await this.post(type, '?operation=void', keyOf(record)),
          await this.post(type, '?operation=update&include=void', { ...keyOf(record), sparse: true }),
        ];
        return this.refused(answers, (after) => /^voided/i.test(String(after.PrivateNote ?? '')));
      }
      case 'deactivate':
      case 'reactivate':
        return this.refused([await this.patch(type, record, { Active: false })], (after) => after.Active === false);
      case 'rename': {
        const name = `Tried ${type}`;
        return this.refused([await this.patch(type, record, { Name: name, DisplayName: name })], (after) =>
          [after.Name, after.DisplayName].includes(name),
        );
      }
      case 'merge': {
        if (mergeable.includes(type)) return disproved('a person can merge it');
        const { webhookOperations = [] } = catalogue(type);
        if (webhookOperations.includes('merged')) return disproved('QuickBooks has a notification of its merge');
        return this.refused(
          [await this.post(type, '?operation=merge', keyOf(record))],
          (after) => after.status === 'Deleted',
        );
      }
      case 'line added':
      case 'line removed':
      case 'lines reordered': {
        const line = { ...this.b.expenseLine(3), Description: 'tried' };
        return this.refused([await this.patch(type, record, { Line: [line] })], (after) =>
          JSON.stringify(after.Line ?? '').includes('tried'),
        );
      }
      case 'link':
      case 'unlink':
        return this.linkRefused(type, record, act);
      case 'its own act':
        return this.nothingLeft(type);
      case 'field set':
      case 'field changed':
      case 'field cleared':
      case 'reference changed':
        return this.refused(
          [await this.patch(type, record, { Name: 'Tried', Description: 'Tried', PrivateNote: 'Tried' })],
          (after) => JSON.stringify(after).includes('Tried'),
        );
      default:
        return act satisfies never;
    }
  }

  private leftOut(type: string, reason: string): Proof {
    const change = { realmId: '1', entityType: type, id: '1', version: 'v', deleted: false, snapshot: { Id: '1' } };
    const mapped = mapChange(change as never, mergeLayers([defaultTemplate]));
    return mapped.kind === 'excluded' && mapped.reason === reason
      ? shown('left out by the mapper, which says so')
      : disproved(`the mapper makes ${mapped.kind} of it`);
  }

  /** Every answer must be a refusal, or have left the record without the act's effect. */
  private refused(answers: readonly Answer[], did: (after: Raw) => boolean = () => true): Proof {
    const effective = answers.find((one) => one.fault === undefined && did(one.body));
    if (effective) return disproved(`QuickBooks did it: ${JSON.stringify(effective.body).slice(0, 200)}`);
    return shown(answers.map(({ fault }) => (fault ? `refused: ${fault}` : 'answered, without the effect')).join('; '));
  }

  private async linkRefused(type: string, record: Raw, act: 'link' | 'unlink'): Promise<Proof> {
    const { b } = this;
    const own = rows[type]?.links;
    // It holds links and none of them can be taken back by itself.
    if (own && act === 'unlink') return this.refused([await this.patch(type, record, { LinkedTxn: [] })], () => false);
    const line = [{ Amount: 1, LinkedTxn: [{ TxnId: record.Id, TxnType: type, TxnLineId: '0' }] }];
    const kept = (after: Raw): boolean =>
      JSON.stringify(after.Line ?? '').includes(`"TxnType":"${type}"`) ||
      JSON.stringify(after.LinkedTxn ?? '').includes(type);
    return this.refused(
      [
        await this.post('Payment', '', { CustomerRef: ref(b.customer), TotalAmt: 1, Line: line }),
        await this.post('BillPayment', '', {
          ...{ VendorRef: ref(b.vendor), PayType: 'Check', TotalAmt: 1, Line: line },
          CheckPayment: { BankAccountRef: ref(b.bank) },
        }),
        await this.post('Deposit', '', { DepositToAccountRef: ref(b.bank), Line: line }),
        await this.post('Invoice', '', { ...b.sale(1), LinkedTxn: line[0]!.LinkedTxn }),
        await this.post('Bill', '', { ...b.purchase(1), LinkedTxn: line[0]!.LinkedTxn }),
      ],
      kept,
    );
  }

  /** The operations that the catalogue knows are all columns of the matrix; sending is what a copy must never do. */
  private nothingLeft(type: string): Proof {
    // upload, download: how the bytes of a file are created and read.
    const columns = [
      'create',
      'read',
      'query',
      'update',
      'sparse-update',
      'delete',
      'void',
      'deactivate',
      'upload',
      'download',
    ];
    const beyond = catalogue(type).operations.filter((one) => ![...columns, 'send', 'pdf'].includes(one));
    return beyond.length === 0
      ? shown('the catalogue of operations has none beside the other columns')
      : disproved(`operations ${beyond.join(', ')}`);
  }

  private recordOf(type: string): Promise<Raw | undefined> {
    let record = this.records.get(type);
    if (!record) this.records.set(type, (record = this.makeRecord(type)));
    return record;
  }

  private async makeRecord(type: string): Promise<Raw | undefined> {
    const { b } = this;
    const row = rows[type];
    if (!row) return (await b.query(type))[0];
    const made = await b.save(type, type === 'BillPayment' ? await payBill(b) : row.make(b));
    return type === 'RecurringTransaction' ? Object.values<Raw>(made).find((one) => one?.Id !== undefined) : made;
  }

  private async patch(type: string, record: Raw, changes: Raw): Promise<Answer> {
    const now = await this.recordNow(type, record);
    return this.post(type, '', { ...keyOf(now), sparse: true, ...changes });
  }

  private async recordNow(type: string, record: Raw): Promise<Raw> {
    return this.b.read(type, String(record.Id)).catch(() => record);
  }

  private async post(type: string, query: string, body: Raw): Promise<Answer> {
    const { status, body: answer } = await this.b.post(`${type.toLowerCase()}${query}`, body);
    const fault = answer?.Fault?.Error?.[0] as Raw | undefined;
    if (status !== 200 || fault) return { fault: fault ? String(fault.code) : `HTTP ${status}`, body: {} };
    return { fault: undefined, body: (answer[jsonName(type)] ?? answer) as Raw };
  }
}

interface Answer {
  fault: string | undefined;
  body: Raw;
}

const keyOf = ({ Id, SyncToken }: Raw): Json => ({ Id: Id as string, SyncToken: (SyncToken ?? '0') as string });
