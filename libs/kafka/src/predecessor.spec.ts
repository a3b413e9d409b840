// Who may be put out of a group at a start: what is certainly a dead process of the same machine, and nobody else.
import { isLeftBehind, type MemberProcess } from './predecessor.js';

const me: MemberProcess = { host: 'pod-1', pid: 7, start: 'now' };
const lives = (pid: number): boolean => pid === 7 || pid === 8;

it.each<[string, MemberProcess, boolean]>([
  ['a process of this machine whose pid is gone', { host: 'pod-1', pid: 6, start: 'before' }, true],
  ['the process before this one in a restarted container', { host: 'pod-1', pid: 7, start: 'before' }, true],
  ['a process of this machine that lives', { host: 'pod-1', pid: 8, start: 'before' }, false],
  ['another consumer of this very process', me, false],
  ['a process of another machine', { host: 'pod-2', pid: 6, start: 'before' }, false],
])('%s: left behind %j: %s', (_who, member, expected) => {
  expect(isLeftBehind(member, me, lives)).toBe(expected);
});
