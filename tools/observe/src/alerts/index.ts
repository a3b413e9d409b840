// All alerts, and the rules as Prometheus reads them.
import { flowAlerts } from './flow.js';
import { objectiveAlerts, recordingRules } from './objectives.js';
import { platformAlerts } from './platform.js';

export type { Alert, Case, Step } from './alert.js';
export { objectives } from './objectives.js';
export type { Objective } from './objectives.js';

export const groups = [
  { name: 'objectives', recording: recordingRules, alerts: objectiveAlerts },
  { name: 'flow', recording: [], alerts: flowAlerts },
  { name: 'platform', recording: [], alerts: platformAlerts },
];
export const alerts = groups.flatMap((group) => group.alerts);
export { recordingRules };
