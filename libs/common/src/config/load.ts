// Reads a whole spec from an environment and answers all mistakes together.
import type { Setting } from './setting.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a spec holds settings of every type
export type Spec = Record<string, Setting<any>>;
type ValueOf<T> = T extends Setting<infer V> ? V : never;
/** An optional setting is an optional property: code that wires a part by hand need not name what it does not use. */
export type Values<S extends Spec> = {
  readonly [K in keyof S as undefined extends ValueOf<S[K]> ? never : K]: ValueOf<S[K]>;
} & { readonly [K in keyof S as undefined extends ValueOf<S[K]> ? K : never]?: ValueOf<S[K]> };
export type Environment = Readonly<Record<string, string | undefined>>;

/** Every mistake at once: one line each, with the variable's name, what is wrong, its unit and an example. */
export class ConfigurationError extends Error {
  constructor(readonly mistakes: readonly string[]) {
    super(
      `${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'} in the configuration:\n${mistakes.map((m) => `  ${m}`).join('\n')}`,
    );
    this.name = 'ConfigurationError';
  }
}

/** @throws ConfigurationError. An empty variable counts as unset. */
export function loadConfig<S extends Spec>(spec: S, env: Environment): Values<S> {
  const mistakes: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(spec)) {
    const raw = env[setting.env];
    if (raw === undefined || raw === '') {
      values[name] = setting.fallback;
      if (setting.fallback === undefined && !setting.optional) mistakes.push(mistake(setting, 'is not set'));
      continue;
    }
    try {
      values[name] = setting.parse(raw);
    } catch (error) {
      // A secret's wrong value is not repeated: the message may end up in a log.
      const given = setting.secret ? '' : ` (is "${raw}")`;
      mistakes.push(mistake(setting, `${(error as Error).message}${given}`));
    }
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
  return values as Values<S>;
}

function mistake(setting: Setting<unknown>, what: string): string {
  const unit = setting.unit ? ` [${setting.unit}]` : '';
  return `${setting.env} ${what}. ${setting.doc}${unit} Example: ${setting.env}=${setting.example}`;
}

/** Variable -> shown value, secrets masked: what the first log line of a process carries. */
export function describeConfig<S extends Spec>(spec: S, values: Values<S>): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const [name, setting] of Object.entries(spec))
    shown[setting.env] = setting.show((values as Record<string, unknown>)[name]);
  return shown;
}

export interface SettingDescription {
  env: string;
  doc: string;
  unit?: string;
  example: string;
  /** shown form; absent when there is none */
  default?: string;
  required: boolean;
  secret: boolean;
}

/** What can be set, for documentation. */
export function listSettings(spec: Spec): SettingDescription[] {
  return Object.values(spec).map(({ env, doc, unit, example, fallback, optional, secret, show }) => ({
    env,
    doc,
    ...(unit !== undefined && { unit }),
    example,
    ...(fallback !== undefined && { default: show(fallback) }),
    required: fallback === undefined && !optional,
    secret,
  }));
}
