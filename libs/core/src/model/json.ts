// Raw QBO JSON: the one place where `any` is allowed.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type Json = { [field: string]: any };
