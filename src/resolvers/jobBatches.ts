import { batchesById, batchesOfJobs, type JobBatch } from '../db/batches.ts'
import { defaultJobOrder, jobPages } from '../db/jobPages.ts'
import type { Page, PageArgs } from '../db/pages.ts'
import type { JobRow } from '../db/tables.ts'
import type { SubmitJobsInput } from '../engine/batches.ts'
import type { Outcome } from '../engine/outcome.ts'
import { distinct, inGroups, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { encodeId, keyOf } from './globalIds.ts'
import { notFound } from './refusals.ts'

export { mostBatchDays, mostBatchJobs } from '../engine/batches.ts'

export async function loadBatches(ids: readonly string[], { db }: Context): Promise<(JobBatch | null)[]> {
  return inOrder(ids, await batchesById(db, distinct(ids)), (row) => row.id)
}

/** The ids of the batches that each job is in, newest first. */
export async function loadBatchesOfJobs(jobIds: readonly string[], { db }: Context): Promise<string[][]> {
  const groups = inGroups(jobIds, await batchesOfJobs(db, distinct(jobIds)), (row) => row.jobId)
  return groups.map((rows) => rows.map((row) => row.batchId))
}

/** The same page of jobs for each batch. */
export async function loadJobsOfBatches(
  batchIds: readonly string[],
  args: PageArgs,
  { db }: Context,
): Promise<Page<JobRow>[]> {
  const filters = batchIds.map((batchId) => ({ batchId }))
  return await jobPages(db, filters, defaultJobOrder, args)
}

export async function submitMany(
  input: SubmitJobsInput,
  { commands, viewer }: Context,
): Promise<Outcome<{ batchId: string }>> {
  // An id that is none leads nowhere either.
  const scrapeUrlIds = input.scrapeUrlIds?.map((id) => keyOf('CountyScrapeUrl', id) ?? id)
  const outcome = await commands.submitJobs({ ...input, scrapeUrlIds }, viewer?.user.id ?? null)
  if (outcome.kind !== 'notFound') return outcome
  const given = input.scrapeUrlIds?.includes(outcome.id) ? outcome.id : encodeId('CountyScrapeUrl', outcome.id)
  return { ...outcome, id: given }
}

export async function processPending(
  limit: number | null | undefined,
  { commands, viewer }: Context,
): Promise<Outcome<{ batchId: string; remaining: number }>> {
  return await commands.processPendingJobs(limit, viewer?.user.id ?? null)
}

/** The batch as it stands, then every change; NOT_FOUND when there is no such batch. */
export async function watchBatch(id: string, context: Context): Promise<AsyncGenerator<JobBatch>> {
  const batchId = keyOf('JobBatch', id)
  const [batch] = batchId === null ? [] : await loadBatches([batchId], context)
  if (!batch) throw notFound('There is no such batch.')
  return context.events.watchBatch(batch.id, { signal: new AbortController().signal })
}
