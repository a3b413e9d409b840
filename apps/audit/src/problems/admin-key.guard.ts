// One key for whoever administers this installation: `Authorization: Bearer <SYNC_ADMIN_KEY>`. Compared in constant time,
// by digest, so that neither content nor length of the key shows in the time the answer takes.
import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

export const ADMIN_KEY = Symbol('admin key');

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
    // Health and metrics are for the platform, which has no key.
    if (!request.url.startsWith('/v1/')) return true;
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    if (timingSafeEqual(digest(given), this.expected)) return true;
    throw new Problem({
      status: 401,
      code: 'ADMIN_KEY.WRONG',
      title: given === '' ? 'No admin key' : 'Wrong admin key',
      detail: 'Every route under /v1 needs the admin key.',
      hint: 'Send "Authorization: Bearer <key>" with the value of SYNC_ADMIN_KEY of this process.',
    });
  }
}
