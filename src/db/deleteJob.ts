import { notifyJob } from './changeJob.ts'
import type { Tx } from './database.ts'
import type { JobRow } from './tables.ts'

/**
 * Deletes a locked job with its executions, errors, events and log. What it found stays: prospects, their changes and
 * the reports of the days it read only lose their link to it; days that it never read have no report to keep.
 *
 * Its clones and the prospects it saw last lose that link too, which locks their rows. They are locked here first, in
 * the order in which saveDay comes to them (a job before prospects, prospects by id), so that neither can wait for the
 * other in a circle.
 */
export async function deleteLockedJob(trx: Tx, job: JobRow): Promise<void> {
  await trx
    .selectFrom('jobs')
    .select('id')
    .where('clonedFromId', '=', job.id)
    .orderBy('createdAt')
    .orderBy('id')
    .forUpdate()
    .execute()
  await trx.selectFrom('prospects').select('id').where('lastJobId', '=', job.id).orderBy('id').forUpdate().execute()
  await trx.deleteFrom('scrapeDays').where('jobId', '=', job.id).where('outcome', '=', 'PENDING').execute()
  await trx.deleteFrom('jobs').where('id', '=', job.id).execute()
  await notifyJob(trx, { ...job, sequence: job.sequence + 1 })
}
