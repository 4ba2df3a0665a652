import type { ErrorCategory } from '../domain.ts'
import type { Database } from './database.ts'
import { type InstantFilter, instantIn, oneOf } from './filters.ts'
import { columnKey, type Page, type PageArgs, plainOrder, readPages } from './pages.ts'
import type { JobErrorRow } from './tables.ts'

export interface JobErrorFilter {
  category?: readonly ErrorCategory[] | null | undefined
  retryable?: boolean | null | undefined
  jobId?: string | null | undefined
  occurredAt?: InstantFilter | null | undefined
}

const newestFirst = plainOrder<JobErrorRow>('NEWEST', 'desc', [
  columnKey('jobErrors.occurredAt', 'instant', (row) => row.occurredAt.toISOString()),
  columnKey('jobErrors.id', 'uuid', (row) => row.id),
])

/** For each list of filters, ANDed, a page of errors, newest first. */
export async function errorPages(
  db: Database,
  filters: readonly (readonly JobErrorFilter[])[],
  args: PageArgs,
): Promise<Page<JobErrorRow>[]> {
  const sources = filters.map((anded) => {
    let rows = db.selectFrom('jobErrors').selectAll('jobErrors')
    for (const filter of anded) {
      if (filter.jobId != null) rows = rows.where('jobErrors.jobId', '=', filter.jobId)
      if (filter.retryable != null) rows = rows.where('jobErrors.retryable', '=', filter.retryable)
      const conditions = [
        ...oneOf('jobErrors.category', filter.category),
        ...instantIn('jobErrors.occurredAt', filter.occurredAt),
      ]
      for (const condition of conditions) rows = rows.where(condition)
    }
    return rows
  })
  return await readPages(db, sources, newestFirst, args)
}

export async function errorsById(db: Database, ids: readonly string[]): Promise<JobErrorRow[]> {
  return await db
    .selectFrom('jobErrors')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

/** The errors of the day reports, newest first. */
export async function errorsOfDays(db: Database, dayIds: readonly string[]): Promise<JobErrorRow[]> {
  return await db
    .selectFrom('jobErrors')
    .selectAll()
    .where('scrapeDayId', 'in', [...dayIds])
    .orderBy('occurredAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}
