// One call of syncctl: words and options in, text out, exit code as the answer. 0 done, 1 refused or out of reach, 2 misused.
import { parseArgs } from 'node:util';
import { Api, Refused } from './api.js';
import { commands } from './commands.js';
import type { Command, Options } from './commands.js';

export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  write(text: string): void;
  complain(text: string): void;
}

const everywhere = {
  json: 'print the answer as JSON',
  'control=': 'address of control; default SYNC_CONTROL_URL',
  'audit=': 'address of audit; default SYNC_AUDIT_URL',
};

export async function run(argv: readonly string[], around: Surroundings): Promise<number> {
  const [name = 'help', ...rest] = argv;
  if (['help', '--help', '-h'].includes(name)) {
    around.write(help(rest[0]));
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) return misused(around, `"${name}" is no command.`, closest(name));
  let words: string[];
  let options: Options;
  try {
    const parsed = parseArgs({ args: rest, allowPositionals: true, strict: true, options: optionsOf(command) });
    words = parsed.positionals;
    options = parsed.values;
  } catch (error) {
    return misused(around, (error as Error).message.split('. ')[0]!, name);
  }
  if (options.help === true) {
    around.write(help(name));
    return 0;
  }
  const text = (option: string): string | undefined => {
    const value = options[option];
    return typeof value === 'string' ? value : undefined;
  };
  const api = new Api({
    control: text('control') ?? around.env.SYNC_CONTROL_URL,
    audit: text('audit') ?? around.env.SYNC_AUDIT_URL,
    adminKey: around.env.SYNC_ADMIN_KEY,
  });
  try {
    const told = await command.run(api, words, options);
    around.write(options.json === true ? `${JSON.stringify(told.data, null, 2)}\n` : told.text);
    return 0;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    around.complain(
      [
        `syncctl: ${error.message}`,
        ...error.mistakes.map((mistake) => `  - ${mistake}`),
        `hint: ${error.hint}`,
        '',
      ].join('\n'),
    );
    return 1;
  }
}

function optionsOf(command: Command): Record<string, { type: 'string' | 'boolean' }> {
  const named = Object.keys({ ...everywhere, help: '', ...command.options });
  return Object.fromEntries(
    named.map((option) => [option.replace('=', ''), { type: option.endsWith('=') ? 'string' : 'boolean' } as const]),
  );
}

function misused(around: Surroundings, what: string, about: string | undefined): number {
  around.complain(`syncctl: ${what}\nhint: npm run syncctl -- help${about ? ` ${about}` : ''}\n`);
  return 2;
}

/** A command that begins like the word that was typed. */
function closest(word: string): string | undefined {
  return Object.keys(commands).find((name) => name.startsWith(word.slice(0, 3)));
}

function help(about: string | undefined): string {
  const command = about !== undefined && Object.hasOwn(commands, about) ? commands[about] : undefined;
  if (command) return `${command.usage}\n  ${command.says}\n${optionLines({ ...command.options, ...everywhere })}`;
  const width = Math.max(...Object.values(commands).map(({ usage }) => usage.length));
  return [
    'syncctl: looks at and steers the sync system over its HTTP API (docs/api.md).',
    '',
    ...Object.values(commands).map(({ usage, says }) => `  ${usage.padEnd(width)}  ${says}`),
    '',
    'Everywhere:',
    optionLines(everywhere).trimEnd(),
    '',
    'SYNC_ADMIN_KEY is the key the processes run with. "help COMMAND" shows the options of a command.',
    '',
  ].join('\n');
}

function optionLines(options: Readonly<Record<string, string>>): string {
  const shown = Object.entries(options).map(([name, says]) => [`--${name.replace('=', ' ...')}`, says] as const);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, says]) => `  ${name.padEnd(width)}  ${says}\n`).join('');
}
