import type { Database } from '../db/database.ts'
import { deleteLockedJob } from '../db/deleteJob.ts'
import { isTerminal } from '../domain.ts'
import type { Logger } from '../log.ts'
import type { Outcome } from './outcome.ts'
import { conflict, statusWords, withJob } from './withJob.ts'

/** Deletes a terminal job; JOB_RUNNING otherwise. What it found stays. Who watches it is told that it is DELETED. */
export async function deleteJob(
  { db, log }: { db: Database; log: Logger },
  id: string,
  userId: string | null,
): Promise<Outcome<{ deletedId: string }>> {
  return await withJob(db, id, async (trx, job) => {
    if (!isTerminal(job.status)) return conflict('JOB_RUNNING', `The job is ${statusWords[job.status]}.`, job)
    await deleteLockedJob(trx, job)
    log.info({ jobId: job.id, name: job.name, userId }, 'job deleted')
    return { kind: 'ok', value: { deletedId: job.id } }
  })
}
