// What QuickBooks itself says: dumps, ledgers and journals over the emulator's control interface.
import type { EmulatorClient, Raw } from '#testing';
import type { CompanyEvidence, JournalRow, PostingLine, TokenEvidence } from '../evidence.js';

export async function companyOf(emulator: EmulatorClient, realmId: string): Promise<CompanyEvidence> {
  // The journal first: what happens meanwhile must not look like a record that nobody made.
  const [journal, dump, ledger] = [
    (await emulator.requests(realmId)) as { requests: JournalRow[]; last: number },
    (await emulator.dump(realmId)) as Raw,
    (await emulator.ledger(realmId)) as { lines: PostingLine[] },
  ];
  return {
    realmId,
    records: dump.records ?? {},
    deleted: dump.deleted ?? {},
    makers: dump.makers ?? {},
    journal: journal.requests,
    journalWhole: journal.requests.length === journal.last,
    ledger: ledger.lines,
  };
}

export const tokensOf = (emulator: EmulatorClient): Promise<TokenEvidence> => emulator.steer('GET', 'oauth');
