import { countEnded, countNotRetryable, jobsToCancel, jobsToRetry, matchesEveryJob } from '../db/bulkJobs.ts'
import type { Database } from '../db/database.ts'
import type { JobFilter } from '../db/jobPages.ts'
import type { JobRow } from '../db/tables.ts'
import type { Commands } from './commands.ts'
import { checkLimit } from './limit.ts'
import type { Outcome } from './outcome.ts'

/** What a command did to many jobs: those it changed, and how many it could not change. */
export interface BulkDone {
  jobs: JobRow[]
  skipped: number
}

/**
 * Cancels the jobs of a filter that have not ended, one after another: what is cancelled stays so, and no worker waits
 * for the whole. A filter that would match every job is refused. `skipped` counts those that had ended.
 */
export async function cancelJobs(
  { db, commands }: { db: Database; commands: Pick<Commands, 'cancelJob'> },
  input: { filter: JobFilter; limit?: number | null | undefined },
  userId: string | null,
): Promise<Outcome<BulkDone>> {
  const checked = checkLimit(input.limit)
  const issues = checked.kind === 'invalid' ? [...checked.issues] : []
  if (matchesEveryJob(input.filter)) issues.unshift({ path: ['filter'], message: 'must not match every job' })
  if (checked.kind === 'invalid' || issues.length > 0) return { kind: 'invalid', issues }
  const skipped = await countEnded(db, input.filter)
  const ids = await jobsToCancel(db, input.filter, checked.limit)
  return { kind: 'ok', value: await each(ids, skipped, async (id) => await commands.cancelJob(id, userId)) }
}

/**
 * Retries the FAILED jobs of a filter that canRetry, oldest first, each as retryJob does. `skipped` counts the other
 * FAILED ones.
 */
export async function retryFailedJobs(
  { db, commands }: { db: Database; commands: Pick<Commands, 'retryJob'> },
  input: { filter: JobFilter; limit?: number | null | undefined },
  userId: string | null,
): Promise<Outcome<BulkDone>> {
  const checked = checkLimit(input.limit)
  if (checked.kind === 'invalid') return checked
  const skipped = await countNotRetryable(db, input.filter)
  const ids = await jobsToRetry(db, input.filter, checked.limit)
  return { kind: 'ok', value: await each(ids, skipped, async (id) => await commands.retryJob(id, userId)) }
}

/** A job that is refused by now has moved since it was chosen. */
async function each(
  ids: readonly string[],
  skipped: number,
  command: (id: string) => Promise<Outcome<JobRow>>,
): Promise<BulkDone> {
  const done: BulkDone = { jobs: [], skipped }
  for (const id of ids) {
    const outcome = await command(id)
    if (outcome.kind === 'ok') done.jobs.push(outcome.value)
    else done.skipped += 1
  }
  return done
}
