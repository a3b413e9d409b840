// From what QBO answered to what each entity of the call got. Pure.
import { batchItemId, classifyFault, type Failure, type Json, type WriteAnswer } from '#core';
import { faultText, type BatchAnswer, type QboAnswer, type QboFault } from '#qbo';

/**
 * @param count entities in the call
 * @param sentBefore the call may have been sent before: a "not sent" of this time says nothing about that time
 */
export function answersOf(
  answer: QboAnswer<Json> | QboAnswer<BatchAnswer>,
  kind: 'single' | 'batch',
  count: number,
  sentBefore: boolean,
): WriteAnswer[] {
  const all = (one: WriteAnswer): WriteAnswer[] => Array.from({ length: count }, () => one);
  switch (answer.kind) {
    case 'ok':
      return kind === 'batch'
        ? Array.from({ length: count }, (_, position) => itemAnswer(answer.value as BatchAnswer, position))
        : [{ kind: 'done', record: answer.value as Json }];
    case 'refused':
      return all(refusal(answer.faults, answer.status));
    case 'throttled':
    case 'unsent':
    case 'unauthorized': {
      const failure: Failure = sentBefore
        ? { kind: 'uncertain', reason: `${answer.reason}; an earlier sending may have happened` }
        : answer.kind === 'unauthorized' && !answer.reconnect
          ? // No token just now: nothing left this machine, and nobody needs to reconnect.
            { kind: 'unsent', reason: answer.reason }
          : { kind: answer.kind, reason: answer.reason };
      return all({ kind: 'failed', failure });
    }
    case 'uncertain':
      return all({ kind: 'failed', failure: { kind: 'uncertain', reason: answer.reason } });
    default:
      return answer satisfies never;
  }
}

function itemAnswer(batch: BatchAnswer, position: number): WriteAnswer {
  const item = batch.items.get(batchItemId(position));
  if (!item) {
    return { kind: 'failed', failure: { kind: 'uncertain', reason: 'the batch answer does not mention this item' } };
  }
  switch (item.kind) {
    case 'ok':
      return { kind: 'done', record: item.value };
    case 'refused':
      return refusal(item.faults, 400);
    case 'uncertain':
      return { kind: 'failed', failure: { kind: 'uncertain', reason: faultText(item.faults) } };
    default:
      return item satisfies never;
  }
}

export function refusal(faults: readonly QboFault[], status: number): WriteAnswer {
  const fault = faults[0];
  const text = faultText(faults);
  const code = fault?.code ?? '';
  return { kind: 'failed', failure: { kind: 'refused', class: classifyFault(code, status, text), code, reason: text } };
}
