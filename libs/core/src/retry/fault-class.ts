// From a refusal to its class, by the fault table. A code that is not there is asked by its HTTP status, and an unknown
// refusal of the content is a person's question, never an endless retry.
import { businessValidation, byStatus, faultTable, type FaultClass } from './fault-table.js';

const classOfCode = new Map<string, FaultClass>(
  faultTable.flatMap((row) => row.codes.map((code): [string, FaultClass] => [String(code), row.class])),
);

/** @param text message and detail of the fault; decides only where the code alone does not (6000) */
export function classifyFault(code: string, status: number, text: string): FaultClass {
  // Gateways write 003200, the service 3200.
  const plain = code.trim().replace(/^0+(?=\d)/, '');
  if (plain === '6000') return businessValidation.find(({ pattern }) => pattern.test(text))?.class ?? 'never';
  return classOfCode.get(plain) ?? byStatus.find((row) => row.of(status))!.class;
}
