// One runbook per alert, and their table.
import { alerts } from './alerts/index.js';
import type { Alert, Step } from './alerts/index.js';
import { procedures, type Procedure } from './procedures.js';
import { runbookOf } from './rules.js';

const written = '<!-- Written by "npm run observe:generate" (tools/observe/src/alerts): change it there. -->';

/** As it stands in the runbook. */
export function command(step: Step): [language: string, text: string] {
  if ('sql' in step) return ['sql', step.sql];
  if ('promql' in step) return ['promql', step.promql];
  if ('run' in step) return ['sh', step.run];
  const [method, path] = step.api.split(' ') as [string, string];
  const address = path.startsWith('/v1/changes') || path.startsWith('/v1/audit-log') ? '$AUDIT' : '$CONTROL';
  return [
    'sh',
    `curl -sS --fail-with-body ${method === 'GET' ? '' : `-X ${method} `}-H "Authorization: Bearer $SYNC_ADMIN_KEY" "${address}${path}"`,
  ];
}

const looks = (steps: readonly Step[]): string =>
  steps
    .map((step) => {
      const [language, text] = command(step);
      return `${step.say}:\n\n\`\`\`${language}\n${text}\n\`\`\``;
    })
    .join('\n\n');

const procedure = ({ name, summary, meaning, impact, diagnosis, mitigation }: Procedure): string =>
  [
    written.replace('alerts', 'procedures.ts'),
    `# ${name}`,
    `${summary}.`,
    `## Meaning\n\n${meaning}`,
    `## Impact\n\n${impact}`,
    `## Diagnosis\n\n${looks(diagnosis)}`,
    `## Mitigation\n\n${mitigation.map((text) => `- ${text}`).join('\n')}`,
    '',
  ].join('\n\n');

function runbook(alert: Alert): string {
  return [
    written,
    `# ${alert.name}`,
    `${alert.summary}. **${alert.severity === 'page' ? 'Page' : 'Ticket'}**, board [${alert.board}](../../observe/boards/${alert.board}.json).`,
    `\`\`\`promql\n${alert.expr}\n\`\`\``,
    `## Meaning\n\n${alert.meaning}${alert.for ? ` It fires when that has been so for ${alert.for}.` : ''}`,
    `## Impact\n\n${alert.impact}`,
    `## Diagnosis\n\n${looks(alert.diagnosis)}`,
    `## Mitigation\n\n${alert.mitigation.map((text) => `- ${text}`).join('\n')}`,
    '',
  ].join('\n\n');
}

const index = (): string =>
  [
    written,
    '# Runbooks',
    'One per alert. SQL is for the installation’s schema as a reader; `$CONTROL` and `$AUDIT` are the two addresses of [the API](../api.md).',
    `| alert | says | urgency |\n| --- | --- | --- |\n${alerts
      .map(({ name, summary, severity }) => `| [${name}](${name}.md) | ${summary} | ${severity} |`)
      .join('\n')}`,
    'After a loss of our own state, which no alert says:',
    `| what happened | says |\n| --- | --- |\n${procedures
      .map(({ name, summary }) => `| [${name}](${name}.md) | ${summary} |`)
      .join('\n')}`,
    '',
  ].join('\n\n');

export function runbookFiles(): Map<string, string> {
  return new Map([
    ['docs/runbooks/README.md', index()],
    ...alerts.map((alert): [string, string] => [runbookOf(alert), runbook(alert)]),
    ...procedures.map((one): [string, string] => [`docs/runbooks/${one.name}.md`, procedure(one)]),
  ]);
}
