// What one setting is, and the kinds of settings there are. Pure: the environment is read by load.ts.

export interface Setting<T> {
  readonly env: string;
  readonly doc: string;
  readonly unit?: string;
  readonly example: string;
  readonly fallback?: T;
  readonly optional: boolean;
  readonly secret: boolean;
  /** @throws Error whose message completes "NAME ..." */
  parse(raw: string): T;
  /** how a value may be shown to a person */
  show(value: T): string;
}

interface Common<T> {
  doc: string;
  example?: string;
  default?: T;
  unit?: string;
}

/** A factory of settings; `optional: true` widens the value by undefined. */
interface Factory<T, Extra = unknown> {
  (env: string, o: Common<T> & Extra & { optional: true }): Setting<T | undefined>;
  (env: string, o: Common<T> & Extra & { optional?: false }): Setting<T>;
}

interface Kind<T, Extra> {
  unit?: (o: Extra) => string | undefined;
  example: (o: Extra) => string;
  secret?: boolean;
  parse: (raw: string, o: Extra) => T;
  show?: (value: T) => string;
}

function kind<T, Extra>(k: Kind<T, Extra>): Factory<T, Extra> {
  const factory = (env: string, o: Common<T> & Extra & { optional?: boolean }): Setting<T | undefined> => {
    const show = (value: T | undefined) =>
      value === undefined ? '' : k.secret ? mask(String(value)) : (k.show ?? String)(value);
    return {
      env,
      doc: o.doc,
      unit: o.unit ?? k.unit?.(o),
      // A secret's default is never an example: people would keep it.
      example: o.example ?? (o.default === undefined || k.secret ? k.example(o) : show(o.default)),
      fallback: o.default,
      optional: o.optional ?? false,
      secret: k.secret ?? false,
      parse: (raw) => k.parse(raw, o),
      show,
    };
  };
  return factory as Factory<T, Extra>;
}

/** Never the value: only that there is one, and its length for the person who suspects a cut-off paste. */
export const mask = (value: string): string => (value === '' ? '' : `******** (${value.length} characters)`);

interface Bounds {
  min?: number;
  max?: number;
}

function inBounds(value: number, { min, max }: Bounds, unit: string): number {
  if (min !== undefined && value < min) throw new Error(`must be at least ${min}${unit}`);
  if (max !== undefined && value > max) throw new Error(`must be at most ${max}${unit}`);
  return value;
}

export const text = kind<string, { pattern?: RegExp }>({
  example: () => 'text',
  parse: (raw, { pattern }) => {
    if (pattern && !pattern.test(raw)) throw new Error(`must match ${pattern}`);
    return raw;
  },
});

export const int = kind<number, Bounds>({
  example: ({ min }) => String(min ?? 10),
  parse: (raw, o) => {
    if (!/^-?\d{1,15}$/.test(raw)) throw new Error('must be a whole number');
    return inBounds(Number(raw), o, '');
  },
});

const unitsMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time span, written `250ms`, `5s`, `10m`, `2h`, `30d` or as bare milliseconds; the value is in milliseconds. */
export const durationMs = kind<number, Bounds>({
  unit: () => 'ms, or with a unit: 250ms 5s 10m 2h 30d',
  example: () => '5s',
  parse: (raw, o) => {
    const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|min|h|d)?$/.exec(raw.trim());
    if (!match) throw new Error('must be a time span');
    return inBounds(Math.round(Number(match[1]) * unitsMs[match[2] ?? 'ms']!), o, ' ms');
  },
  show: (ms) => {
    const unit = ['d', 'h', 'm', 's'].find((u) => ms > 0 && ms % unitsMs[u]! === 0) ?? 'ms';
    return `${ms / unitsMs[unit]!}${unit}`;
  },
});

export function choice<const V extends string>(
  env: string,
  o: Common<NoInfer<V>> & { options: readonly V[] },
): Setting<V> {
  return kind<V, { options: readonly V[] }>({
    example: ({ options }) => options[0]!,
    parse: (raw, { options }) => {
      const found = options.find((option) => option === raw);
      if (found === undefined) throw new Error(`must be one of ${options.join(', ')}`);
      return found;
    },
  })(env, o);
}

function parseUrl(raw: string, protocols: readonly string[] | undefined): string {
  const url = URL.parse(raw);
  if (!url) throw new Error('must be an address');
  if (protocols && !protocols.includes(url.protocol)) {
    throw new Error(`must begin with ${protocols.map((p) => `${p}//`).join(' or ')}`);
  }
  return raw;
}

/** An address; a password inside it is masked when shown. */
export const url = kind<string, { protocols?: readonly string[] }>({
  example: ({ protocols }) => `${protocols?.[0] ?? 'http:'}//127.0.0.1:8080`,
  parse: (raw, { protocols }) => parseUrl(raw, protocols),
  show: (value) => value.replace(/^([a-z][a-z0-9+.-]*:\/\/[^:/@]*):[^@/]*@/i, '$1:********@'),
});

/** A comma-separated list; blanks are dropped. */
export const list = kind<string[], { pattern?: RegExp; min?: number }>({
  unit: () => 'comma-separated',
  example: () => 'one,two',
  parse: (raw, { pattern, min }) => {
    const items = raw
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    if (items.length < (min ?? 0)) throw new Error(`must name at least ${min}`);
    const odd = pattern && items.find((item) => !pattern.test(item));
    if (odd !== undefined) throw new Error(`has the odd item "${odd}"`);
    return items;
  },
  show: (items) => items.join(','),
});

export const flag = kind<boolean, unknown>({
  unit: () => 'true or false',
  example: () => 'true',
  parse: (raw) => {
    if (/^(true|1|yes|on)$/i.test(raw)) return true;
    if (/^(false|0|no|off)$/i.test(raw)) return false;
    throw new Error('must be true or false');
  },
});

/** A text that is never shown. `base64Bytes`: how many bytes the base64 text must hold. */
export const secret = kind<string, { base64Bytes?: number; minLength?: number }>({
  example: ({ base64Bytes }) => (base64Bytes ? `(openssl rand -base64 ${base64Bytes})` : '(secret)'),
  secret: true,
  parse: (raw, { base64Bytes, minLength }) => {
    if (base64Bytes !== undefined) {
      const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(raw) ? Buffer.from(raw, 'base64').length : 0;
      if (bytes !== base64Bytes) throw new Error(`must be ${base64Bytes} bytes in base64`);
    }
    if (minLength !== undefined && raw.length < minLength) {
      throw new Error(`must have at least ${minLength} characters`);
    }
    return raw;
  },
});

/** One of the named options or an http(s) address: `sandbox`, `production`, `http://127.0.0.1:8090`. */
export function choiceOrUrl(env: string, o: Common<string> & { options: readonly string[] }): Setting<string> {
  return kind<string, { options: readonly string[] }>({
    example: ({ options }) => options[0]!,
    parse: (raw, { options }) => {
      if (options.includes(raw)) return raw;
      try {
        return parseUrl(raw, ['http:', 'https:']).replace(/\/+$/, '');
      } catch {
        throw new Error(`must be ${options.join(', ')} or an address that begins with http:// or https://`);
      }
    },
  })(env, o);
}
