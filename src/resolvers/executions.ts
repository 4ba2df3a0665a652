import { executionPages, executionsById, linesOfExecutions } from '../db/executionPages.ts'
import type { Page, PageArgs } from '../db/pages.ts'
import type { ExecutionRow, LogLineRow } from '../db/tables.ts'
import { distinct, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { type ExecutionFilterArg, executionFilter } from './filters.ts'

export async function loadExecutions(ids: readonly string[], { db }: Context): Promise<(ExecutionRow | null)[]> {
  return inOrder(ids, await executionsById(db, distinct(ids)), (row) => row.id)
}

export async function executions(
  args: PageArgs & { filter?: ExecutionFilterArg | null | undefined },
  { db }: Context,
): Promise<Page<ExecutionRow>> {
  const [page] = await executionPages(db, [executionFilter(args.filter)], args)
  return page as Page<ExecutionRow>
}

/** The same page of executions for each job. */
export async function loadExecutionsOfJobs(
  jobIds: readonly string[],
  args: PageArgs,
  { db }: Context,
): Promise<Page<ExecutionRow>[]> {
  return await executionPages(
    db,
    jobIds.map((jobId) => ({ jobId })),
    args,
  )
}

export async function loadLines(
  executionIds: readonly string[],
  args: { afterLine?: number | null | undefined; first?: number | null | undefined },
  { db }: Context,
): Promise<LogLineRow[][]> {
  return await linesOfExecutions(db, executionIds, args.afterLine ?? 0, args.first)
}
