// A connection between two parts that can be troubled: cut (reset, and refused), silent (open, and nothing arrives, as behind a
// lost route), delayed, throttled. Bytes that were accepted are never lost or reordered except by a cut.
//
// One trouble at a time. `free` forwards at once. `cut` resets what is open and every newcomer. `silent` keeps what
// arrives from either side. `delayed` forwards each piece so many ms after it came, `throttled` so many bytes a second
// and direction. heal() goes back to free from anywhere: what was kept goes on its way in its order.
import { createServer, connect, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Trouble =
  { kind: 'cut' } | { kind: 'silence' } | { kind: 'delay'; ms: number } | { kind: 'throttle'; bytesPerSecond: number };

/** Beyond this the sender is told to wait, as a full socket would. */
const keptBytes = 256 * 1024;
const pieceMs = 20;

export class TcpProxy {
  private readonly server: Server;
  private readonly flows = new Set<Flow>();
  private trouble: Trouble | undefined;

  private constructor(private readonly targetPort: number) {
    this.server = createServer({ allowHalfOpen: true }, (client) => this.accept(client));
  }

  static async listen(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, '127.0.0.1', () => resolve());
    });
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** From now on, until another trouble or heal(). */
  disturb(trouble: Trouble): void {
    this.trouble = trouble;
    for (const flow of this.flows) {
      if (trouble.kind === 'cut') flow.reset();
      else flow.wake();
    }
  }

  heal(): void {
    this.trouble = undefined;
    for (const flow of this.flows) flow.wake();
  }

  async close(): Promise<void> {
    for (const flow of this.flows) flow.reset();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private accept(client: Socket): void {
    client.on('error', () => undefined);
    if (this.trouble?.kind === 'cut') return void client.resetAndDestroy();
    client.setNoDelay(true);
    const target = connect({ port: this.targetPort, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    const both = [client, target] as const;
    const flows = [new Flow(client, target, () => this.trouble), new Flow(target, client, () => this.trouble)];
    for (const flow of flows) this.flows.add(flow);
    const end = (): void => {
      for (const socket of both) if (!socket.destroyed) socket.destroy();
      for (const flow of flows) this.flows.delete(flow);
    };
    for (const socket of both) socket.on('close', end);
    // A target that is not there answers as itself would: by a refusal.
    target.on('error', () => client.resetAndDestroy());
    for (const flow of flows) void flow.run();
  }
}

/** One direction of one connection. */
class Flow {
  private readonly kept: { bytes: Buffer; cameMs: number }[] = [];
  private keptSize = 0;
  private ended = false;
  private awake: () => void = () => undefined;

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    private readonly trouble: () => Trouble | undefined,
  ) {
    from.on('data', (bytes: Buffer) => {
      this.kept.push({ bytes, cameMs: performance.now() });
      this.keptSize += bytes.length;
      if (this.keptSize > keptBytes) from.pause();
      this.awake();
    });
    to.on('close', () => this.awake());
    from.on('end', () => {
      this.ended = true;
      this.awake();
    });
  }

  wake(): void {
    this.awake();
  }

  reset(): void {
    this.from.resetAndDestroy();
    this.to.resetAndDestroy();
  }

  async run(): Promise<void> {
    for (;;) {
      if (this.to.destroyed) return;
      const trouble = this.trouble();
      const first = this.kept[0];
      if (trouble?.kind === 'silence' || (!first && !this.ended)) {
        await this.until();
        continue;
      }
      if (!first) return void this.to.end();
      const dueMs = trouble?.kind === 'delay' ? first.cameMs + trouble.ms : 0;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) {
        await this.until(sleep(waitMs));
        continue;
      }
      const share =
        trouble?.kind === 'throttle'
          ? Math.max(1, Math.floor((trouble.bytesPerSecond * pieceMs) / 1000))
          : first.bytes.length;
      this.forward(first, share);
      if (trouble?.kind === 'throttle') await sleep(pieceMs);
    }
  }

  private forward(first: { bytes: Buffer }, share: number): void {
    const piece = first.bytes.subarray(0, share);
    if (piece.length === first.bytes.length) this.kept.shift();
    else first.bytes = first.bytes.subarray(share);
    this.keptSize -= piece.length;
    this.to.write(piece);
    if (this.keptSize <= keptBytes && this.from.isPaused() && !this.from.destroyed) this.from.resume();
  }

  /** Until something came, the trouble changed, the connection ended, or the other thing happened. */
  private async until(other?: Promise<unknown>): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.awake = resolve));
    await (other ? Promise.race([woken, other]) : woken);
  }
}
