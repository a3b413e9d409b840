// Cursor pages over HTTP: `?limit=&cursor=` in, `{items, next}` out. A cursor is opaque to clients.
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, IsUUID, Max, Min } from 'class-validator';
import type { Page, PageCursor, PageRequest } from '#storage';
import { mistakes } from '#common/problems';

export class PageQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit: number = 50;

  @IsOptional()
  @IsString()
  cursor?: string;
}

export class OrganizationPageQuery extends PageQuery {
  @IsOptional()
  @IsUUID()
  organizationId?: string;
}

export function pageRequest(query: PageQuery): PageRequest {
  return { limit: query.limit, after: query.cursor === undefined ? undefined : decodeCursor(query.cursor) };
}

export function pageAnswer<T, V>(page: Page<T>, view: (item: T) => V): { items: V[]; next?: string } {
  const next = page.next && Buffer.from(JSON.stringify([page.next.at, page.next.id])).toString('base64url');
  return { items: page.items.map(view), ...(next && { next }) };
}

function decodeCursor(cursor: string): PageCursor {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.length === 2 && !Number.isNaN(Date.parse(String(parts[0])))) {
      return { at: String(parts[0]), id: String(parts[1]) };
    }
  } catch {
    // Falls through to the one refusal.
  }
  throw mistakes([{ field: 'cursor', message: 'is not a cursor of this list; take "next" of the page before' }]);
}
