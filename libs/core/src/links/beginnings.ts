// The form in which a record must be made so that it begins as the original did. QBO posts the stock of a new item at the
// cost that the item has in that moment, and takes no inactive record: so the first write says what was true at the
// beginning, and a second one what is true now.
import { canonicalText } from '../canonical/index.js';
import type { Json } from '../model/json.js';
import { moneyOf, toCents, type Money } from '../money/index.js';
import type { EntityDefinition } from '../registry/index.js';

export interface FirstForm {
  body: Json;
  /** what is remembered as applied: the body, and how the record began */
  applied: Json;
  /** what is made is not yet what is wanted */
  unfinished: boolean;
}

/** Facts of the payload that say how a record began; never sent under these names. */
const startingValue = 'StartingValue';

export function firstForm(desired: Json): FirstForm {
  const { [startingValue]: value, ...body } = desired;
  const cost = startingCost(body, moneyOf(value));
  const first = {
    ...body,
    ...(cost === undefined ? {} : { PurchaseCost: cost }),
    ...(body.Active === false ? { Active: true } : {}),
  };
  const applied = value === undefined ? first : { ...first, [startingValue]: value };
  return { body: first, applied, unfinished: cost !== undefined || body.Active === false };
}

/** QBO shows prices with seven decimals: enough for the value of a hundred thousand pieces to the cent. */
const costDecimals = 7;

/** The cost per piece at the beginning; undefined when the present one gives the same value, or none can. */
function startingCost({ QtyOnHand, PurchaseCost }: Json, value: Money | undefined): number | undefined {
  const quantity = moneyOf(QtyOnHand);
  if (value === undefined || quantity === undefined || quantity.isZero()) return undefined;
  if (toCents(quantity.times(moneyOf(PurchaseCost) ?? 0)).equals(value)) return undefined;
  const cost = value.dividedBy(quantity);
  return cost.isNegative() ? undefined : cost.toDecimalPlaces(costDecimals).toNumber();
}

/**
 * A beginning that the source's ledger did not show this time is the one that we know: it was not asked, or QuickBooks
 * declined to answer, and that is no edit.
 */
export function withKnownBeginning({ beginnings }: EntityDefinition, desired: Json, applied: Json | undefined): Json {
  if (beginnings.length === 0 || startingValue in desired || !applied) return desired;
  return { ...desired, ...beginningOf(beginnings, applied) };
}

/** What a person changed in the source about how a record began (product: "Adjust starting value"); undefined: nothing. */
export function changedBeginning(
  { beginnings }: EntityDefinition,
  desired: Json,
  applied: Json,
): { text: string; now: Json } | undefined {
  if (!(startingValue in desired)) return undefined;
  const changed = beginnings.filter(
    (field) => field in applied && field in desired && canonicalText(applied[field]) !== canonicalText(desired[field]),
  );
  if (changed.length === 0) return undefined;
  const show = (value: unknown) => (JSON.stringify(value) ?? 'empty').slice(0, 40);
  const text = changed.map((field) => `${field} ${show(applied[field])}, now ${show(desired[field])}`).join('; ');
  return { text, now: beginningOf(beginnings, desired) };
}

const beginningOf = (beginnings: readonly string[], of: Json): Json =>
  Object.fromEntries(beginnings.filter((field) => field in of).map((field) => [field, of[field] as unknown]));
