// docker-compose.yml as data: YAML merges resolved, variables filled in as the engine would.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export interface Service {
  image?: string;
  build?: { context: string; target: string };
  profiles?: string[];
  environment?: Record<string, string | number>;
  command?: string[];
  entrypoint?: string[];
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }> | string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  stop_grace_period?: string;
}

export interface ComposeFile {
  name: string;
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

export const composePath = 'docker-compose.yml';

/** The file as written: `${...}` stay. */
export function composeFile(text = readFileSync(composePath, 'utf8')): ComposeFile {
  return parse(text, { merge: true }) as ComposeFile;
}

/** `${NAME:-default}` and `${NAME:?message}` from `variables`; @throws Error on a variable that must be set and is not. */
export function filledIn<T>(value: T, variables: Readonly<Record<string, string>>): T {
  if (typeof value === 'string') {
    const filled = value.replace(
      /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
      (_all, name: string, kind: string, rest: string) => {
        const given = variables[name];
        if (given !== undefined && given !== '') return given;
        if (kind === '-') return rest;
        throw new Error(`${name} is not set${kind === '?' ? `: ${rest}` : ''}`);
      },
    );
    return filled as T;
  }
  if (Array.isArray(value)) return value.map((each: unknown) => filledIn(each, variables)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, filledIn(each, variables)])) as T;
}
