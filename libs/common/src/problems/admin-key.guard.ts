// One key for whoever administers this installation: `Authorization: Bearer <SYNC_ADMIN_KEY>`. Compared in constant time,
// by digest, so that neither content nor length of the key shows in the time the answer takes.
import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

export const ADMIN_KEY = Symbol('admin key');

/** For the platform, which has no key. Everything else needs it, also what is added later. */
const open = new Set(['/health/live', '/health/ready', '/metrics']);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

@Injectable()
export class AdminKeyGuard implements CanActivate {
  private readonly expected: Buffer;

  constructor(@Inject(ADMIN_KEY) adminKey: string) {
    this.expected = digest(adminKey);
  }

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    // By the route that was matched, never by the text of the address: "/%761/syncs" is "/v1/syncs" to the router.
    if (open.has(request.routeOptions.url ?? '')) return true;
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digest(given), this.expected)) return true;
    throw new Problem({
      status: 401,
      code: 'ADMIN_KEY.WRONG',
      title: given === '' ? 'No admin key' : 'Wrong admin key',
      detail: 'Every route but health and metrics needs the admin key.',
      hint: 'Send "Authorization: Bearer <key>" with the value of SYNC_ADMIN_KEY of this process.',
    });
  }
}
