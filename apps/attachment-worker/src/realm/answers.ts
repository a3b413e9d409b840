// From what QBO answered to a failure the core can judge. Pure.
import { classifyFault, type Failure } from '#core';
import { faultText, type QboAnswer } from '#qbo';

export type NotOk = Exclude<QboAnswer<unknown>, { kind: 'ok' }>;

export function failureOf(answer: NotOk): Failure {
  switch (answer.kind) {
    case 'refused': {
      const reason = faultText(answer.faults);
      const code = answer.faults[0]?.code ?? String(answer.status);
      return { kind: 'refused', class: classifyFault(code, answer.status, reason), code, reason };
    }
    case 'unauthorized':
      // Not for a person: the token was renewed, or will be in a moment. Nothing happened.
      return { kind: answer.reconnect ? 'unauthorized' : 'unsent', reason: answer.reason };
    case 'throttled':
    case 'uncertain':
    case 'unsent':
      return { kind: answer.kind, reason: answer.reason };
    default:
      return answer satisfies never;
  }
}

/** QBO knows no such object (any more). */
export function isMissing(answer: NotOk): boolean {
  return answer.kind === 'refused' && answer.faults.some((fault) => fault.code === '610');
}
