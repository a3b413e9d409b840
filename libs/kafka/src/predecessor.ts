// Who was killed is still a member of its group until its session ends, and whoever joins before that waits for it: after a kill -9
// the six seconds of a session were most of the time until a restarted process worked again. A static member (group.instance.id)
// would replace itself at once; kafkajs knows none. So each member says in its group's metadata which process it is, and a process
// that starts puts out the members that a dead process of its own machine left behind.
//
// Only what is certainly gone is put out: a process of another machine is left alone, and so is one whose pid lives here. In a container
// that was started again the pid is the same as its predecessor's and the start is not. Whoever was put out by mistake all the same
// (two containers that share a host name and a pid) is told so at its next heartbeat and joins again: a rebalance, nothing more.
import { AssignerProtocol, PartitionAssigners } from 'kafkajs';
import type { Admin, Kafka, PartitionAssigner } from 'kafkajs';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

export interface MemberProcess {
  host: string;
  pid: number;
  /** another one at each start */
  start: string;
}

export const thisProcess: MemberProcess = { host: hostname(), pid: process.pid, start: randomUUID() };

/** kafkajs' round robin under its own name, so that members of older versions share it, with a word on who a member is. */
export const roundRobinOf =
  (member: MemberProcess): PartitionAssigner =>
  (config) => {
    const assigner = PartitionAssigners.roundRobin(config);
    return {
      ...assigner,
      protocol({ topics }) {
        const userData = Buffer.from(JSON.stringify(member));
        const { name } = assigner;
        return {
          name,
          metadata: AssignerProtocol.MemberMetadata.encode({ version: assigner.version, topics, userData }),
        };
      },
    };
  };

/** Whether a member is what a dead process left behind, seen from a process that starts. */
export function isLeftBehind(member: MemberProcess, me: MemberProcess, lives: (pid: number) => boolean): boolean {
  if (member.host !== me.host || member.start === me.start) return false;
  return member.pid === me.pid || !lives(member.pid);
}

/**
 * @param ended members of this process whose consumer broke: kafkajs says goodbye to the coordinator it knew, and when that was the
 *   broker that died, nobody heard it
 * @returns how many members were put out
 */
export async function putOutPredecessors(
  kafka: Kafka,
  admin: Admin,
  groupId: string,
  ended: ReadonlySet<string> = new Set(),
): Promise<number> {
  const { groups } = await admin.describeGroups([groupId]);
  const dead = (groups[0]?.members ?? []).filter(({ memberId, memberMetadata }) => {
    const member = readMember(memberMetadata);
    return ended.has(memberId) || (member !== undefined && isLeftBehind(member, thisProcess, isAlive));
  });
  if (dead.length === 0) return 0;
  const cluster = clusterOf(kafka);
  try {
    await cluster.connect();
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    for (const { memberId } of dead) await coordinator.leaveGroup({ groupId, memberId });
  } finally {
    await cluster.disconnect();
  }
  return dead.length;
}

function readMember(metadata: Buffer): MemberProcess | undefined {
  try {
    const { userData } = AssignerProtocol.MemberMetadata.decode(metadata)!;
    const { host, pid, start } = JSON.parse(userData.toString('utf8')) as Partial<MemberProcess>;
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof start !== 'string') return undefined;
    return { host, pid, start };
  } catch {
    // An older version, or another client.
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is alive, too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  findGroupCoordinator(o: { groupId: string }): Promise<{
    leaveGroup(o: { groupId: string; memberId: string }): Promise<unknown>;
  }>;
}

/** The admin client can only remove static members; the request that any member may send is reached through the client's own cluster. */
function clusterOf(kafka: Kafka): Cluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  if (!symbol) throw new Error('this version of kafkajs hides its cluster otherwise');
  return (kafka as unknown as Record<symbol, (o: object) => Cluster>)[symbol]!({});
}
