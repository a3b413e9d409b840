// Where tests run: Node, with the logs of what they test held back. Tests provoke failures all the time, and what is logged
// of them would bury the one that matters; so a test's lines are shown when it fails, and only then.
const { appendFileSync, mkdirSync } = require('node:fs');
const { join, relative } = require('node:path');
const { TestEnvironment } = require('jest-environment-node');

/** libs/common/src/logging writes there when it is set. */
const logLines = Symbol.for('sync.logLines');
const shown = 30;
const folder = join(process.cwd(), '.cache', 'test-logs');

const nameOf = (test) => (test.parent?.parent ? `${nameOf(test.parent)} ${test.name}` : test.name);

module.exports = class LoggedEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    this.file = relative(config.projectConfig.rootDir, context.testPath);
    this.lines = [];
    this.global[logLines] = { write: (line) => void this.lines.push(line) };
  }

  handleTestEvent(event) {
    if (event.name === 'test_start') this.lines = [];
    if (event.name === 'test_done' && event.test.errors.length > 0) this.show(nameOf(event.test));
    if (event.name === 'hook_failure' && event.hook.type.endsWith('All')) this.show(event.hook.type);
  }

  show(what) {
    if (this.lines.length === 0) return;
    mkdirSync(folder, { recursive: true });
    const path = join(folder, `${this.file.replaceAll('/', '.')}.log`);
    appendFileSync(path, `--- ${what}\n${this.lines.join('')}`);
    const last = this.lines.slice(-shown);
    const which =
      last.length < this.lines.length ? `last ${shown} of ${this.lines.length} lines; all in ${path}` : path;
    process.stderr.write(`\nLOGGED BEFORE THE FAILURE ● ${this.file} › ${what} (${which})\n${last.join('')}\n`);
    this.lines = [];
  }
};
