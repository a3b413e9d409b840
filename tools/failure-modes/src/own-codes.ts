// Every code that this system says by itself, what it means and what to do next. A code ending in `.*` stands for a family
// whose entries say their own next step. The spec compares this list with the sources: no code without an entry, no entry
// without a code.
export interface OwnCode {
  readonly code: string;
  readonly where: 'link' | 'mapping' | 'file' | 'api' | 'event' | 'process';
  readonly means: string;
  readonly next: string;
}

const rows = (where: OwnCode['where'], entries: Readonly<Record<string, readonly [string, string]>>): OwnCode[] =>
  Object.entries(entries).map(([code, [means, next]]) => ({ code, where, means, next }));

export const ownCodes: readonly OwnCode[] = [
  ...rows('link', {
    'ADOPT.AMBIGUOUS': [
      'several records of the target could be this one',
      'rename or merge the candidates it lists, then redrive',
    ],
    'ADOPT.NO_KEY': ['nothing identifies this record in the target', 'map it by a table, then redrive'],
    'ADOPT.NO_TWIN': [
      'QuickBooks makes such records itself, and the target has none',
      'make it in the target by hand or map it by a table, then redrive',
    ],
    'ADOPT.TABLE': [
      'a mapping table names a record of the target that cannot be this one: missing, taken, or of another type or currency',
      'correct the entry of adopt.table, replay, then redrive',
    ],
    'ANSWER.DIFFERS': [
      'QuickBooks kept something else than was sent',
      'nothing is stuck: the entry of the sync log lists the fields; the next write sends them again',
    ],
    'ANSWER.RENUMBERED': [
      'the target numbers its documents itself, so the copy has another number',
      'switch custom transaction numbers on in the target, or choose the document number rule "drop"',
    ],
    'COLLISION.NAME': [
      'something of the target has this name, at the making or after a rename: a customer, vendor or employee (perhaps inactive), or an entry of the same list under the same parent',
      'rename one of them, or set settings.collisions.names to "suffix", then redrive',
    ],
    'COLLISION.NUMBER': [
      'another document of the target has this number, or another account this account number',
      'change one of the numbers, use a document number rule, or set settings.collisions.numbers to "suffix", then redrive',
    ],
    'COLLISION.TURN': [
      'another copy of this sync still has the name or number, and is to get another one: names that changed places, or a name that is used again',
      'nothing: it goes on by itself, for a moment perhaps under its name with "(~id)" behind it',
    ],
    'NUMBER.TOO_LONG': [
      'the number of the copy, with its prefix or suffix, is longer than QuickBooks takes',
      'give the document number rule a shorter text or a word for it (tooLong: "cut" or "drop"), or shorten the number in the source; the document goes on by itself then',
    ],
    'QBO.READ_BACK': [
      'the answer to a write was lost for longer than QuickBooks can be trusted to remember it, and the target shows several records that could be ours, or another content',
      'look at the records that the reason names: delete ours or leave it, then redrive',
    ],
    'ROLLBACK.DEPENDENT': [
      'something that refers to this record is held, and cannot go back yet',
      'decide about that one: this goes on by itself then',
    ],
    'ROLLBACK.EDITED': [
      'a person edited this record in the target since we wrote it',
      'keep it: leave it held. Take it back all the same: redrive it, by name and with a reason; edited again it is asked again',
    ],
    'ROLLBACK.LINKED': [
      'a document that this sync did not make is linked to this one in the target',
      'unlink it there and redrive, or redrive to delete this one all the same: what was applied becomes unapplied',
    ],
    'ROLLBACK.MAY_EXIST': [
      'the answer to its creation was lost, and what was found in the target could not be told from others',
      'look for it in the target, delete it by hand, then redrive',
    ],
    'ROLLBACK.NOT_POSSIBLE': [
      'this record was there before the sync, and no API puts back what it was',
      'put it right by hand (beforeImage in GET /v1/changes says what it was), then redrive: it is left then',
    ],
    'ROLLBACK.ORDER': ['what refers to this record goes back first', 'nothing: it goes on by itself'],
    'ROLLBACK.STAYS': [
      'QuickBooks neither deletes such a record nor makes it inactive, or refused to do so once more after a person tried it again',
      'nothing: it stays in the target, unused and without money; in the screens of QuickBooks a person may hide it',
    ],
    'ROLLBACK.STOCK': [
      'an item that we made began with a quantity on hand, which QuickBooks posted itself and takes back by no API',
      'take the quantity out by an inventory adjustment against Opening Balance Equity, dated as the reason says, then redrive; redriven without that, its value stays in the books',
    ],
    'ROLLBACK.UNKNOWN_ORIGIN': [
      'nobody wrote down whether this record was in the target before the sync: it was linked by an older version, or its link was recalled after a database was restored',
      'delete it by hand in the target or leave it there, then redrive: the sync leaves it alone',
    ],
    'MONEY.*': [
      'the target computed a total, tax or balance otherwise; the cause stands in the code and with each amount',
      'nothing is stuck: compare the two documents; TAX_RECOMPUTED: rates or addresses, AUTO_APPLIED: switch it off in the target, LINK_DROPPED: redrive, RATE and UNKNOWN: by hand',
    ],
    'MONEY.ROUNDING_LINE': [
      "cents that the two companies' arithmetic cannot agree on stand on a rounding line of the copy, as settings.rounding says",
      'nothing: the total is right; the log entry says how many cents and where they come from',
    ],
    'MONEY.TOO_FAR': [
      'the copy is written, its total differs by more than rounding can make (1 cent per line, 5 per document), or rounding lines did not help',
      'compare codes, rates and switches of the two companies; correct them in the target, then redrive: it is written and compared again',
    ],
    'MONEY.NO_ROUNDING_ACCOUNT': [
      'the copy needs a rounding line, and settings.rounding names no item (sales) or account (purchases) for it',
      'name one in settings.rounding (ids of the target), then redrive',
    ],
    'CONFLICT.LOST': [
      'edited in both companies of two opposite syncs: the later edit of the other one stands in both',
      'nothing is stuck: the sync log has the values that lost; make the edit again if it was the right one',
    ],
    'CONFLICT.WON': [
      'edited in both companies of two opposite syncs: this edit stands in both',
      'nothing is stuck: the sync log has the values that lost',
    ],
    'PAIR.PARENT_GONE': [
      'two people at once: the one paid (or billed on, or deposited) a document whose copy the other one deleted in the other company, where it cannot be deleted any more for that',
      'keep one of the two: delete what refers to the document, and its deletion follows by itself within minutes; or enter the document anew in the other company',
    ],
    'PAIR.KEPT_HERE': [
      'two people at once: the one edited a document whose copy the other one deleted in the other company, and here something hangs on it, so that QuickBooks does not delete it',
      'keep one of the two: delete what hangs on it, and its deletion follows by itself within minutes; or enter the document anew in the other company',
    ],
    'PAIR.*': [
      'the opposite sync is at work on the same two records (OTHER_SENDING, BEING_MADE), or the copy was removed in its own company (REMOVED_THERE)',
      'nothing: it goes on by itself',
    ],
    'DEACTIVATE.DEPENDENTS_PENDING': [
      'a name is made inactive, and an order that a person closed is closed, last: when what uses it has arrived',
      'nothing: it goes on by itself',
    ],
    'LINES.CHANGING': [
      'a bill names lines of an order whose copy is being changed, and gets other ids for its lines',
      'nothing: it goes on by itself',
    ],
    'STOCK.ORDER': [
      'it brings in stock on a day on which a document entered before it does so, too, and that one is not made yet: the order decides what sold goods cost',
      'nothing: it goes on by itself, at the latest after ten minutes',
    ],
    'BEGINNING.CHANGED': [
      'the stock that an item began with was changed in the source; QuickBooks changes that by hand only',
      'adjust the starting value of the copy by hand, then redrive',
    ],
    'CREATE.NO_LINES': [
      'a document without lines (a voided bill payment, a deposit whose payments were all taken out) that the target has not, or not any more',
      'leave it held: it moves no money, and QuickBooks makes no such document',
    ],
    DRIFT: [
      'somebody edited our copy in the target, and the policy says hold',
      'redrive to overwrite it, or make the same edit in the source',
    ],
    'DRIFT.KEPT': [
      'somebody edited our copy in the target, and the policy leaves that field there',
      'nothing: it stands among the differences of the link until the source changes that very field',
    ],
    'DRIFT.OVERWRITTEN': [
      'somebody edited our copy in the target; the source won',
      'nothing: the sync log lists the fields',
    ],
    'DRIFT.TARGET_GONE': [
      'somebody deleted our copy in the target',
      'redrive with createAgain, or delete the source record too',
    ],
    'EXCLUDED.HELD': [
      'a rule leaves this record out from now on, its copy is still there, and settings.excluded says hold',
      'remove the copy by hand or change the rule and start a replay; GET links?op=exclude lists them',
    ],
    'EXCLUDED.LEFT': [
      'a rule leaves this record out from now on; its copy stays as it is, as settings.excluded says',
      'nothing: GET links?op=exclude lists what was left',
    ],
    'FROZEN.BY_HAND': [
      'a deposit of the target that this sync did not make holds this record, so QuickBooks refuses its change',
      'take it out of the deposit it names, or delete that deposit; it goes on by itself within 15 minutes, or redrive',
    ],
    'FROZEN.MEMBER_CHANGING': [
      'a deposit was written without a payment that must change, and is made again with it',
      'nothing: it goes on by itself once that payment is written',
    ],
    'NAME.MERGED': [
      'the source merged this name into another one; its copy is inactive, what referred to it refers to the other',
      'nothing: merge the two in the target by hand if its history should show one name',
    ],
    'PARENT.EXCLUDED': [
      'the mapping leaves out a record it refers to, and the target has no copy of that one',
      'give the reference another target in the mapping, leave this record out too, or carry the other; it follows by itself',
    ],
    'PARENT.RING': [
      'it waits for a record that waits for it, directly or over others',
      'change one of them in the source so that it refers to another record; both follow by themselves',
    ],
    'PARENT.FAILED': ['a record it refers to failed', 'mend the parent it names; the child follows by itself'],
    'PARENT.HELD': ['a record it refers to is held', 'release the parent it names; the child follows by itself'],
    'PARENT.PENDING': ['a record it refers to is on its way', 'nothing: it goes on by itself'],
    'PARENT.REMOVED': [
      'a record it refers to was removed',
      'change the reference in the source; the child follows by itself',
    ],
    'PARENT.UNKNOWN': [
      'a record it refers to was never captured',
      'start a backfill of that type; the child follows by itself',
    ],
    'PLAN.BROKEN': ['the plan of a write threw: a bug', 'report it with the reason; redrive after the repair'],
    'PLAN.NO_PAYLOAD': ['nothing says what the target should be', 'start a replay'],
    'SETTLE.BROKEN': ['the end of a write threw: a bug', 'report it with the reason; redrive after the repair'],
    'TARGET.RECONNECT_NEEDED': [
      'the target refuses our grant',
      'connect the target again; everything held goes on by itself',
    ],
    'SOURCE.RECONNECT_NEEDED': [
      'the source refuses our grant',
      'connect the source again; everything held goes on by itself',
    ],
  }),
  ...rows('mapping', {
    'MAPPING.EXCLUDED': [
      'a rule leaves this record out; the reason names the layer',
      'nothing, or change the rule and start a replay',
    ],
    'MAPPING.BAD_RULE': [
      'a mapping rule cannot be understood',
      'correct the rule; a new mapping version recomputes by itself',
    ],
    'MAPPING.FAILED': ['the mapping failed without a code', 'read the reason'],
    'MAPPING.NOT_ALLOWED': ['a value has no entry in a table or is outside its range', 'add the entry to the table'],
    'MAPPING.NO_SNAPSHOT': ['a change came without its record', 'start a replay, then a backfill of that type'],
    'MAPPING.REQUIRED': ['a required field came out empty', 'set it in the source or give the rule a default'],
    'MAPPING.TOO_LONG': ['a value is longer than QuickBooks takes', 'shorten it in the source or by a rule'],
    'MAPPING.UNEXPECTED': ['the mapping threw: a bug', 'report it with the reason'],
    'REFERENCE.NOT_IN_TABLE': ['the table of a reference policy lacks this id', 'add it to the table'],
    'REFERENCE.TYPE_NOT_CARRIED': [
      'it refers to a record of a type that is not carried',
      'enter it by hand in the target, or leave it held',
    ],
    'REFERENCE.UNDECLARED': [
      'a reference is not in the entity registry',
      'report it: one entry of the registry is missing',
    ],
    'MAPPER.INVALID_RESULT': ['what was mapped breaks its schema: a bug', 'the record is in dead letters; report it'],
  }),
  ...rows('file', {
    'ATTACHMENT.EMPTY': ['an attachment without file or note', 'delete it in the source'],
    'ATTACHMENT.HASH_MISMATCH': [
      'the copy keeps having other bytes than the original',
      'redrive it; if it repeats, carry the file by hand',
    ],
  }),
  ...rows('api', {
    'ADMIN_KEY.WRONG': ['the request has no or another admin key', 'send Authorization: Bearer <SYNC_ADMIN_KEY>'],
    'COMPANY.CHECK.FAILED': ['QuickBooks could not be asked about the company', 'send the same request again'],
    'COMPANY.ELSEWHERE': ['another organization has this company', 'disconnect it there first'],
    'COMPANY.GRANT.REFUSED': ['QuickBooks refused the tokens', 'authorize the company again'],
    'COMPANY.NOT_A_SOURCE': ['no sync reads this company', 'make a sync from it first'],
    'DATABASE.UNAVAILABLE': ['PostgreSQL does not answer', 'send the same request again later'],
    INTERNAL: ['an error of ours', 'see the log under the instance it names'],
    'JOB.UNFINISHED': ['a job of this kind still runs', 'wait for the job it names'],
    'LINK.NOT_REDRIVABLE': ['it is neither held, failed nor uncertain', 'nothing to do'],
    'ORGANIZATION.EXISTS': ['an organization with this id exists', 'choose another id'],
    'PREFLIGHT.*': [
      'the two companies differ in a setting that decides what can be written',
      'each finding says what to do; PREFLIGHT.BLOCKED lists those that keep a backfill from starting',
    ],
    'REQUEST.INVALID': ['mistakes in body or query', 'see errors[]'],
    'REQUEST.MALFORMED': ['the body is not JSON', 'send JSON'],
    'REQUEST.MEDIA_TYPE': ['another content type than JSON', 'send application/json'],
    'REQUEST.TOO_LARGE': ['the body is too large', 'send less'],
    'ROUTE.UNKNOWN': ['no such address', 'docs/api.md lists every route'],
    'SYNC.CURRENCIES.DIFFER': ['the companies have different home currencies', 'choose a target with the same'],
    'SETTINGS.CHANGED': ['the settings have another version by now', 'look at them and change that one'],
    'ROLLBACK.BEGUN': ['the rollback of this sync has begun', 'watch it at GET /v1/syncs/{id}/rollback'],
    'ROLLBACK.PAIR': [
      'there is an opposite sync, which would carry every deletion back to where the records came from',
      'pause both syncs and decide by hand; a rollback is for a one-off migration',
    ],
    'VALIDATION.COMPANY_UNREADABLE': [
      'QuickBooks did not answer, so nothing was validated',
      'send the same request again in a minute; when the token was refused, connect the company again',
    ],
    'SYNC.ROLLED_BACK': [
      'the sync is taken back: it carries nothing any more',
      'look at GET /v1/syncs/{id}/rollback; a rollback is final',
    ],
    'SYNC.FIXED': [
      'a change of the companies of a sync was asked for',
      'make another sync; what was written belongs to these two',
    ],
    'SYNC.EXISTS': ['this pair has a sync', 'use that one'],
    'SWEEP.PAIR': [
      'one of two opposite syncs is not swept: each carries what is edited in the target of the other',
      'ask for a look at that company',
    ],
    'SYNC.LOOP': [
      'the sync would close a ring of three or more companies',
      'sync two companies both ways, or make a chain; see docs/api.md on opposite syncs',
    ],
    'SYNC.ORGANIZATIONS.DIFFER': ['the companies belong to different organizations', 'connect both to one'],
    'SYNC.SAME_COMPANY': ['source and target are one company', 'choose two'],
    '*.UNKNOWN': ['no organization, company, sync, job, link or record has this id', 'list them'],
  }),
  ...rows('event', {
    'CHANGE.CANNOT_BE_TOLD': [
      'a record of the source that no topic takes: larger than eight mebibytes, or nested too deep',
      'it is in dead letters by its name: split it in the source; its next version is told again',
    ],
    'HEADERS.INVALID': [
      'a Kafka record without the CloudEvents headers',
      'it is in dead letters: find who writes to the topic',
    ],
    'VALUE.INVALID': ['a value that breaks its schema', 'it is in dead letters: the reason names the field'],
    'VALUE.NOT_FRAMED': ["a value without the registry's frame", 'it is in dead letters: find who writes to the topic'],
    'VALUE.NOT_JSON': ['a value that is not JSON', 'it is in dead letters: find who writes to the topic'],
    'VALUE.SCHEMA_OF_ANOTHER_TOPIC': [
      'a value under the schema of another topic',
      'it is in dead letters: find who writes to the topic',
    ],
    'VALUE.SCHEMA_UNKNOWN': [
      'a value whose schema the registry lacks',
      'it is in dead letters: restore the registry, then replay',
    ],
    'WRITE.REFUSED_BY_DATABASE': ['a desired record that PostgreSQL does not take', 'it is in dead letters; report it'],
    'WRITE.UNKNOWN_TYPE': [
      'a desired record of a type the writer does not know',
      'bring all processes to the same version, then replay',
    ],
  }),
  ...rows('process', {
    'GRANTS.GRANT.MISSING': ['a company without a stored grant', 'connect the company'],
    'LEASES.FENCE.LOST': ['another process took over this company', 'nothing: that one goes on'],
  }),
];
