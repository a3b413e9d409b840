// Prints the run's last line, "N passed, N failed, N skipped", after Jest's own summary. A suite that could not start
// counts as one failure, so that a syntax error never reads as success.
module.exports = class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    // A timer that some test left behind must not hold the run open: half a minute is enough for the teardown of the
    // infrastructure. Jest has set what the exit code is to be.
    setTimeout(() => process.exit(), 30_000).unref();
    process.once('exit', () => {
      process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }
};
