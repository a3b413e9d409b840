// The form in which a record must be made so that it begins as the original did. QBO posts the stock of a new item at the
// cost that the item has in that moment, and takes no inactive record: so the first write says what was true at the
// beginning, and a second one what is true now.
import type { Json } from '../model/json.js';
import { moneyOf, toCents, type Money } from '../money/index.js';

export interface FirstForm {
  body: Json;
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
  return { body: first, unfinished: cost !== undefined || body.Active === false };
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
