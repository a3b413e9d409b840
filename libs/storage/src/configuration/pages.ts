// Cursor pages over configuration tables, newest first: (time, id) of the last row seen, so that rows which come in
// between are neither skipped nor shown twice.
import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';

export interface PageRequest {
  limit: number;
  /** the `next` of the page before */
  after?: PageCursor | undefined;
}

export interface PageCursor {
  /** microseconds matter: two rows of one millisecond are two places */
  at: string;
  id: string;
}

export interface Page<T> {
  items: T[];
  next: PageCursor | undefined;
}

/** Runs `query` for one page. The table has `<time>` (default created_at) and a unique text-like `<id>` column. */
export async function olderThan<E extends ObjectLiteral>(
  query: SelectQueryBuilder<E>,
  alias: string,
  idColumn: string,
  page: PageRequest,
  timeColumn = 'created_at',
): Promise<Page<E>> {
  const time = `${alias}.${timeColumn}`;
  const id = `${alias}.${idColumn}`;
  if (page.after) {
    query.andWhere(`(${time}, ${id}::text) < (:pageAt::timestamptz, :pageId)`, {
      pageAt: page.after.at,
      pageId: page.after.id,
    });
  }
  const { entities, raw } = await query
    .addSelect(`to_char(${time}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`, 'page_at')
    .addSelect(`${id}::text`, 'page_id')
    .orderBy(time, 'DESC')
    .addOrderBy(`${id}::text`, 'DESC')
    .limit(page.limit + 1)
    .getRawAndEntities<{ page_at: string; page_id: string }>();
  const last = raw[page.limit - 1];
  return {
    items: entities.slice(0, page.limit),
    next: entities.length > page.limit && last ? { at: last.page_at, id: last.page_id } : undefined,
  };
}
