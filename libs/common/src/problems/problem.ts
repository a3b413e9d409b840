// Every refusal of this API is an RFC 9457 problem with a code for programs and a hint for people: what to do next.

/** One mistake in what was sent; all of them are listed, not the first. */
export interface FieldMistake {
  field: string;
  message: string;
}

export interface ProblemFacts {
  status: number;
  /** stable, for programs: `SYNCS.CURRENCIES.DIFFER` */
  code: string;
  title: string;
  detail: string;
  hint: string;
  errors?: readonly FieldMistake[];
}

export interface ProblemBody extends ProblemFacts {
  type: string;
  instance: string;
}

export class Problem extends Error {
  constructor(readonly facts: ProblemFacts) {
    super(facts.detail);
    this.name = 'Problem';
  }
}

export const problemBody = (facts: ProblemFacts, instance: string): ProblemBody => ({
  type: `urn:sync:problem:${facts.code}`,
  ...facts,
  instance,
});

export const notFound = (what: string, id: string, hint: string): Problem =>
  new Problem({
    status: 404,
    code: `${what.toUpperCase()}.UNKNOWN`,
    title: `No such ${what}`,
    detail: `There is no ${what} ${JSON.stringify(id)}.`,
    hint,
  });

export const mistakes = (errors: readonly FieldMistake[]): Problem =>
  new Problem({
    status: 400,
    code: 'REQUEST.INVALID',
    title: 'The request has mistakes',
    detail: errors.map(({ field, message }) => `${field}: ${message}`).join('; '),
    hint: 'Mend every entry of "errors" and send it again; docs/api.md shows each body.',
    errors,
  });
