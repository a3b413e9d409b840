// The last troubles of a log, by field: a field that is not listed here is left out, whatever it holds.
import { worded } from './wording.js';

/** Written by our code, never taken from a record. */
const plain = ['time', 'level', 'service', 'part', 'traceId', 'outcome', 'operation', 'code', 'attempt', 'tid'];
const ids = ['realm', 'sync', 'syncId', 'changeId', 'entityKey', 'requestId'];
const places = ['group', 'topic', 'partition', 'offset', 'failures', 'retries', 'pauseMs', 'durationMs'];
const kept = [...plain, ...ids, ...places];
const texts = ['msg', 'reason'];
const troubles = new Set(['warn', 'error', 'fatal']);
const mostLines = 500;

export function troublesOf(log: string, vocabulary: ReadonlySet<string>): object[] {
  return log
    .split('\n')
    .flatMap((line): object[] => {
      let said: Record<string, unknown>;
      try {
        said = JSON.parse(line) as Record<string, unknown>;
      } catch {
        return [];
      }
      return said !== null && troubles.has(String(said.level)) ? [lineOf(said, vocabulary)] : [];
    })
    .slice(-mostLines);
}

/**
 * What the process said of its settings at its last start, by the catalogue: a variable that is not in it is left out, a secret is
 * masked again whatever stands there.
 */
export function settingsSaid(
  log: string,
  catalogue: readonly { env: string; secret: boolean }[],
): Record<string, string> | undefined {
  const lines = log.split('\n').filter((line) => line.includes('"config":{'));
  for (const line of lines.reverse()) {
    try {
      const { config } = JSON.parse(line) as { config: Record<string, unknown> };
      const known = catalogue.filter(({ env }) => typeof config[env] === 'string');
      return Object.fromEntries(
        known.map(({ env, secret }) => [
          env,
          secret && config[env] !== '' ? '********' : withoutPassword(config[env] as string),
        ]),
      );
    } catch {
      // Cut in half by a rotation; the one before it, if any.
    }
  }
  return undefined;
}

const withoutPassword = (value: string): string => value.replace(/:\/\/[^/@\s]*@/, '://********@');

function lineOf(said: Record<string, unknown>, vocabulary: ReadonlySet<string>): object {
  const line: Record<string, unknown> = {};
  // An id has no blanks and no @: what has is no id.
  for (const name of kept) if (/^[\w.:/+…-]{1,120}$/.test(String(said[name] ?? ''))) line[name] = said[name];
  for (const name of texts) if (typeof said[name] === 'string') line[name] = worded(said[name], vocabulary);
  const { err } = said as { err?: { type?: unknown; code?: unknown; message?: unknown; stack?: unknown } };
  if (err)
    line.err = {
      type: worded(String(err.type ?? ''), vocabulary),
      message: worded(String(err.message ?? ''), vocabulary),
      at: framesOf(err.stack),
    };
  return line;
}

/** Where, without what: the lines of a stack that name our own files. */
const framesOf = (stack: unknown): string[] =>
  [...String(stack ?? '').matchAll(/\b(?:dist|node_modules)\/([\w@./-]+\.js:\d+)/g)]
    .map(([, place]) => place!)
    .slice(0, 8);
