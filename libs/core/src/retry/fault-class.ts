// The retry column of the fault table (qbo-api.md 11.2), as data.
export type FaultClass =
  'never' | 'reread' | 'wait' | 'authenticate' | 'operator' | 'parent-missing' | 'duplicate-adopt';

/** @param text message and detail of the fault; decides only where the code alone does not (6000, 610) */
export function classifyFault(_code: string, _status: number, _text: string): FaultClass {
  throw new Error('not built yet');
}
