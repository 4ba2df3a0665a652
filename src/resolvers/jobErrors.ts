import { errorPages, errorsById, errorsOfDays } from '../db/errorPages.ts'
import type { Page, PageArgs } from '../db/pages.ts'
import type { JobErrorRow } from '../db/tables.ts'
import { distinct, inGroups, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { type JobErrorFilterArg, jobErrorFilter } from './filters.ts'

export type JobErrorPageArgs = PageArgs & { filter?: JobErrorFilterArg | null | undefined }

export async function loadErrors(ids: readonly string[], { db }: Context): Promise<(JobErrorRow | null)[]> {
  if (ids.length === 0) return []
  return inOrder(ids, await errorsById(db, distinct(ids)), (row) => row.id)
}

export async function loadErrorsOfDays(dayIds: readonly string[], { db }: Context): Promise<JobErrorRow[][]> {
  return inGroups(dayIds, await errorsOfDays(db, distinct(dayIds)), (row) => row.scrapeDayId as string)
}

export async function jobErrors(args: JobErrorPageArgs, { db }: Context): Promise<Page<JobErrorRow>> {
  const [page] = await errorPages(db, [[jobErrorFilter(args.filter)]], args)
  return page as Page<JobErrorRow>
}

/** The same page of errors for each job. */
export async function loadErrorsOfJobs(
  jobIds: readonly string[],
  args: JobErrorPageArgs,
  { db }: Context,
): Promise<Page<JobErrorRow>[]> {
  const filter = jobErrorFilter(args.filter)
  return await errorPages(
    db,
    jobIds.map((jobId) => [filter, { jobId }]),
    args,
  )
}
