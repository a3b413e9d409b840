// Prints the run's last line, "N passed, N failed, N skipped", after Jest's own summary. A suite that could not start
// counts as one failure, so that a syntax error never reads as success.

// What keeps the process from ending, by kind; sockets with their other end, so that it can be told whose they are.
const leftOpen = () => [
  ...process.getActiveResourcesInfo(),
  ...process._getActiveHandles().map((handle) => {
    const far = handle.remotePort ? ` to ${handle.remoteAddress}:${handle.remotePort}` : '';
    const child = handle.spawnfile ? ` ${handle.spawnargs?.slice(0, 3).join(' ')}` : '';
    return `${handle.constructor?.name}${far}${child}`;
  }),
];

module.exports = class ClosingLineReporter {
  onRunComplete(_contexts, results) {
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    // A timer that some test left behind must not hold the run open: half a minute is enough for the teardown of the
    // infrastructure. Jest has set what the exit code is to be.
    setTimeout(() => {
      process.stderr.write(`\nheld open by: ${[...new Set(leftOpen())].join(', ')}\n`);
      process.exit();
    }, 30_000).unref();
    process.once('exit', () => {
      process.stdout.write(`\n${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
    });
  }
};
