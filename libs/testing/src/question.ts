// One HTTP question to a process that may be restarted, killed or busy meanwhile: asked again, its whole answer read. For
// requests that may be repeated.
import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** asked so often at most */
  tries?: number;
  /** asked again within this time only */
  forMs?: number;
  pauseMs?: number;
  /** an answer that means "not yet" */
  notYet?: number;
}

export async function question(
  url: string,
  request: RequestInit,
  { tries = Infinity, forMs = Infinity, pauseMs = 0, notYet }: Patience,
): Promise<{ status: number; text: string }> {
  const beganMs = performance.now();
  for (let asked = 1; ; asked += 1) {
    const isLast = () => asked >= tries || performance.now() - beganMs > forMs;
    try {
      const response = await fetch(url, request);
      // A connection may be cut in the middle of the answer, too.
      const answer = { status: response.status, text: await response.text() };
      if (answer.status !== notYet || isLast()) return answer;
    } catch (error) {
      if (isLast()) throw error;
    }
    await sleep(pauseMs);
  }
}
