// Prints the run's last line, "N passed, N failed, N skipped", after Jest's own summary. A suite that could not start
// counts as one failure, so that a syntax error never reads as success. Under `npm test` the checks count, too: then the
// figures go to the file named by CLOSING_FIGURES_TO, and tools/dev/test.mjs prints the line.
const { writeFileSync } = require('node:fs');
const { closingLine } = require('./closing-line.cjs');

module.exports = class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const passed = results.numPassedTests;
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const path = process.env.CLOSING_FIGURES_TO;
    if (path) writeFileSync(path, JSON.stringify({ passed, failed, skipped }));
    else process.once('exit', () => process.stdout.write(`\n${closingLine({ passed, failed, skipped })}\n`));
  }
};
