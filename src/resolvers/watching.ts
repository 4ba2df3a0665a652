import { jobsById } from '../db/jobPages.ts'
import type { JobUpdate, LogBatch } from '../engine/events.ts'
import type { Context } from './context.ts'
import { type JobFilterArg, jobFilter } from './filters.ts'
import { keyOf } from './globalIds.ts'
import { badUserInput, notFound } from './refusals.ts'

/** The job as it stands, then every change; NOT_FOUND when there is no such job. */
export async function watchJob(
  args: { jobId: string; afterSequence?: number | null | undefined },
  context: Context,
): Promise<AsyncGenerator<JobUpdate>> {
  refuseNegative('afterSequence', args.afterSequence)
  const jobId = await existingJob(args.jobId, context)
  return context.events.watchJob(jobId, { afterSequence: args.afterSequence ?? undefined, signal: untilReturned() })
}

/** The job's log lines after a line; NOT_FOUND when there is no such job. */
export async function watchLog(
  args: { jobId: string; afterLine?: number | null | undefined },
  context: Context,
): Promise<AsyncGenerator<LogBatch>> {
  refuseNegative('afterLine', args.afterLine)
  const jobId = await existingJob(args.jobId, context)
  return context.events.watchLog(jobId, { afterLine: args.afterLine ?? 0, signal: untilReturned() })
}

/** Every change of the jobs that match a filter before or after it; with `snapshot` first those that match now. */
export function watchJobs(
  args: { filter?: JobFilterArg | null | undefined; snapshot?: boolean | null | undefined },
  context: Context,
): AsyncGenerator<JobUpdate> {
  const options = { snapshot: args.snapshot ?? false, signal: untilReturned() }
  return context.events.watchJobs(jobFilter(args.filter), options)
}

// The generators end when they are returned, which is what a client's leaving comes to.
const untilReturned = (): AbortSignal => new AbortController().signal

async function existingJob(id: string, { db }: Context): Promise<string> {
  const jobId = keyOf('ScrapingJob', id)
  const [job] = jobId === null ? [] : await jobsById(db, [jobId])
  if (!job) throw notFound('There is no such job.')
  return job.id
}

function refuseNegative(name: string, value: number | null | undefined): void {
  if (value != null && value < 0) throw badUserInput([{ path: [name], message: 'must not be negative' }])
}
