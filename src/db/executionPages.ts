import type { ExecutionStatus } from '../domain.ts'
import type { Database } from './database.ts'
import { type InstantFilter, instantIn, oneOf } from './filters.ts'
import { columnKey, type Page, type PageArgs, plainOrder, type Rows, readPages } from './pages.ts'
import type { ExecutionRow, LogLineRow } from './tables.ts'

export interface ExecutionFilter {
  status?: readonly ExecutionStatus[] | null | undefined
  jobId?: string | null | undefined
  startedAt?: InstantFilter | null | undefined
}

const newestFirst = plainOrder<ExecutionRow>('NEWEST', 'desc', [
  columnKey('executions.startedAt', 'instant', (row) => row.startedAt.toISOString()),
  columnKey('executions.id', 'uuid', (row) => row.id),
])

const byLine = plainOrder<LogLineRow>('LINE', 'asc', [columnKey('jobLogLines.line', 'integer', (row) => row.line)])

/** For each filter a page of executions, newest first. */
export async function executionPages(
  db: Database,
  filters: readonly ExecutionFilter[],
  args: PageArgs,
): Promise<Page<ExecutionRow>[]> {
  const sources = filters.map((filter) => {
    let rows = db.selectFrom('executions').selectAll('executions')
    if (filter.jobId != null) rows = rows.where('executions.jobId', '=', filter.jobId)
    const conditions = [
      ...oneOf('executions.status', filter.status),
      ...instantIn('executions.startedAt', filter.startedAt),
    ]
    for (const condition of conditions) rows = rows.where(condition)
    return rows
  })
  return await readPages(db, sources, newestFirst, args)
}

export async function executionsById(db: Database, ids: readonly string[]): Promise<ExecutionRow[]> {
  return await db
    .selectFrom('executions')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

/** For each execution its first lines after a line number, oldest first: at most `first`. */
export async function linesOfExecutions(
  db: Database,
  ids: readonly string[],
  afterLine: number,
  first: number | null | undefined,
): Promise<LogLineRow[][]> {
  const sources: Rows<LogLineRow, 'jobLogLines'>[] = ids.map((id) =>
    db
      .selectFrom('jobLogLines')
      .selectAll('jobLogLines')
      .where('jobLogLines.executionId', '=', id)
      .where('jobLogLines.line', '>', afterLine),
  )
  const pages = await readPages(db, sources, byLine, { first })
  return pages.map((page) => page.edges.map((edge) => edge.node))
}
