// I-07: at most one token refresh in flight per company; after any crash the newest token is stored, or the company says
// "reconnect". The calls as the token endpoint saw them; the stored value opened here and compared by its hash.
import { createDecipheriv, createHash } from 'node:crypto';
import type { Evidence, TokenCall } from '../evidence.js';
import type { Books } from '../books.js';
import { counted, judged, notJudged, type Verdict, type Violation } from '../verdict.js';

/** A token is renewed ten minutes before its end at the earliest; one that lives shorter is renewed all the time. */
const renewedBeforeEndMs = 10 * 60_000;

export function tokens(books: Books): Verdict {
  const { e } = books;
  if (e.tables.grants.length === 0) return notJudged('no company has a grant');
  if (!e.tokenKey) return notJudged('the key of the stored tokens was not given (SYNC_TOKEN_KEY)');
  const violations: Violation[] = [];
  const refreshes = e.tokens.calls.filter((call) => call.grantType === 'refresh_token' && call.realmId !== undefined);
  let needless = 0;
  for (const realmId of new Set(refreshes.map((call) => call.realmId!))) {
    const own = refreshes.filter((call) => call.realmId === realmId);
    const overlap = overlapping(own);
    if (overlap)
      violations.push({
        what: `company ${realmId}: two token refreshes at once, from ${overlap[0].startedAt} to ${overlap[0].time} and from ${overlap[1].startedAt}`,
      });
    for (const [first, again] of needlessOf(e, realmId, own)) {
      needless++;
      // A process that was killed with the new token in its hands costs one more.
      if (needless > e.interruptions)
        violations.push({
          what: `company ${realmId}: refreshed twice without need, at ${first.time} and at ${again.startedAt}`,
        });
    }
  }
  let newest = 0;
  let reconnect = 0;
  for (const grant of e.tables.grants) {
    const company = e.tables.companies.find((one) => one.realm_id === grant.realm_id);
    if (company?.status !== 'connected') {
      reconnect++;
      continue;
    }
    const given = e.tokens.grants.filter((one) => one.realmId === grant.realm_id && e.ourApps.has(one.clientId));
    const opened = open(grant, e.tokenKey);
    if (opened === undefined) {
      violations.push({ what: `company ${grant.realm_id}: the stored refresh token does not open with the key` });
      continue;
    }
    const hash = createHash('sha256').update(opened).digest('hex');
    // The one before still works for its grace; the next refresh brings the newest.
    if (given.some((one) => one.live && (one.refreshSha256 === hash || one.previousSha256 === hash))) newest++;
    else
      violations.push({
        what: `company ${grant.realm_id}: its grant is lost: the stored refresh token is none that QuickBooks accepts, and the company does not say "reconnect"`,
      });
  }
  return judged(
    violations,
    `${counted(refreshes.length, 'refresh', 'refreshes')}, never two at once; ${newest} of ${counted(e.tables.grants.length, 'grant')} stored alive` +
      (reconnect > 0 ? `, ${reconnect} say reconnect` : ''),
  );
}

function overlapping(calls: readonly TokenCall[]): [TokenCall, TokenCall] | undefined {
  const sorted = [...calls].sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  for (const [i, next] of sorted.entries()) {
    const before = sorted[i - 1];
    // Nobody waits any more for a call whose connection is gone.
    if (before && !before.lost && Date.parse(next.startedAt) < Date.parse(before.time)) return [before, next];
  }
  return undefined;
}

/** A second refresh while the token of the first was fresh, was delivered, and QuickBooks had not refused it. */
function needlessOf(e: Evidence, realmId: string, calls: readonly TokenCall[]): [TokenCall, TokenCall][] {
  const refused = (e.companies.get(realmId)?.journal ?? [])
    .filter((row) => row.status === 401)
    .map((row) => Date.parse(row.time));
  const delivered = calls.filter((call) => call.status === 200);
  return delivered.flatMap((again, i): [TokenCall, TokenCall][] => {
    const first = delivered[i - 1];
    if (!first || first.lost) return [];
    const [from, to] = [Date.parse(first.time), Date.parse(again.startedAt)];
    if (to - from >= Math.max(0, (first.expiresInMs ?? 0) - renewedBeforeEndMs)) return [];
    return refused.some((ms) => ms >= from - 1_000 && ms <= to) ? [] : [[first, again]];
  });
}

/** AES-256-GCM, `s1.key id.nonce.sealed.tag`, bound to organization, company and field. */
function open(grant: Evidence['tables']['grants'][number], key: Buffer): string | undefined {
  const [form, , nonce, sealed, tag] = grant.refresh_token_sealed.split('.');
  if (form !== 's1' || !nonce || !sealed || !tag) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), { authTagLength: 16 });
    decipher.setAAD(Buffer.from(`${grant.organization_id}|${grant.realm_id}|refresh`));
    decipher.setAuthTag(Buffer.from(tag, 'base64url'));
    return Buffer.concat([decipher.update(Buffer.from(sealed, 'base64url')), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
