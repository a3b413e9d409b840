// How mapping one record can fail: a closed list of codes. Thrown inside the evaluator, never out of it.
export type MappingFailureCode =
  /** a rule cannot be understood */
  | 'MAPPING.BAD_RULE'
  /** a required field came out empty */
  | 'MAPPING.REQUIRED'
  /** a value is longer than the rule, or QBO, allows */
  | 'MAPPING.TOO_LONG'
  /** a value is none of those the rule allows, or no entry of its table */
  | 'MAPPING.NOT_ALLOWED'
  /** a change without a snapshot that is no deletion */
  | 'MAPPING.NO_SNAPSHOT'
  /** a defect of the evaluator itself */
  | 'MAPPING.UNEXPECTED'
  | 'REFERENCE.UNDECLARED'
  | 'REFERENCE.TYPE_NOT_CARRIED'
  /** a table of ids has no entry, and its rule says fail */
  | 'REFERENCE.NOT_IN_TABLE';

export class MappingFailure extends Error {
  constructor(
    readonly code: MappingFailureCode,
    message: string,
  ) {
    super(message);
    this.name = 'MappingFailure';
  }
}
