// The people of the emulator's world: who fills a company (presets) and who works in it (edits).
export { type Actor, type ActorPorts, type File, actorOn } from './actor.js';
export { type Edit, type EditAct, type EditsAnswer, type EditsOptions, acts, workAsPerson } from './edits.js';
export { type Refused } from './every-kind.js';
export { type Furnished, type GeneratorOptions, countAll, generate } from './generated.js';
export { furnishSample, sampleCompanyName } from './sample.js';
