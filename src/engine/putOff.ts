import { changeJob, lockJob } from '../db/changeJob.ts'
import type { Database } from '../db/database.ts'
import { findOpenExecution } from '../db/executions.ts'
import { findJobSite } from '../db/jobs.ts'
import { newQueueId, type Queue } from './queue.ts'
import { enqueueJob } from './submitJob.ts'

/**
 * Puts a delivered run off where its job is to be read with a browser and its node has none: the job waits, PENDING
 * with nextAttemptAt, for this node's next look or for a node that has one, and no attempt is used. Answers whether it
 * was put off. Jobs of transport AUTO are not: most never need a browser.
 */
export async function putOffWithoutBrowser(
  { db, queue }: { db: Database; queue: Queue },
  delivery: { queueId: string; jobId: string; sameAttempt: boolean },
  { reason, nextLook }: { reason: string; nextLook: Date },
): Promise<boolean> {
  return await db.transaction().execute(async (trx) => {
    const job = await lockJob(trx, delivery.jobId)
    if (!job || job.queueId !== delivery.queueId) return false
    const site = await findJobSite(trx, job.scrapeUrlId)
    if (!site || (job.transport ?? site.transport) !== 'BROWSER') return false
    // What a lost node has left open is ended first.
    if (await findOpenExecution(trx, job.id)) return false
    await queue.settle(trx, delivery.queueId)
    const waiting = await changeJob(
      trx,
      job,
      { queueId: newQueueId(), nextAttemptAt: nextLook },
      { lines: [{ level: 'WARN', message: `waits for a browser: ${reason}` }] },
    )
    await enqueueJob(queue, trx, waiting, site, { startAfter: nextLook, sameAttempt: delivery.sameAttempt })
    return true
  })
}
