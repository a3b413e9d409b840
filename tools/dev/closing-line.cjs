// The last line of every run of tests, for people and for programs that read it.
exports.closingLine = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;
