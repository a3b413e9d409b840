// What a record says, apart from how and when QBO says it: canonical content, its hash, voids, names.
export { canonicalContent, contentHash, desiredHash, deletedHash } from './content.js';
export { canonicalText, sha256Hex } from './text.js';
export { isVoided } from './voided.js';
export { stripDeletedSuffix, sameName } from './names.js';
export { withoutNoise } from './noise.js';
export { withoutShownLinks } from './own-links.js';
export { withIdentity } from './identity.js';
export { pick, omit } from './paths.js';
