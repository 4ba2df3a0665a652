import { z } from 'zod'
import { changeJob } from '../db/changeJob.ts'
import type { Database } from '../db/database.ts'
import { findJobSite } from '../db/jobs.ts'
import type { JobRow } from '../db/tables.ts'
import { isTerminal } from '../domain.ts'
import { checkInput, jobShape } from './jobInput.ts'
import type { Outcome } from './outcome.ts'
import { newQueueId, type Queue } from './queue.ts'
import { enqueueJob } from './submitJob.ts'
import { conflict, statusWords, withJob } from './withJob.ts'

/** The contract's UpdateJobInput with the job's UUID. What is left out, or null, stays. */
export interface UpdateJobInput {
  id: string
  name?: string | null | undefined
  priority?: number | null | undefined
  hold?: boolean | null | undefined
  timeoutSeconds?: number | null | undefined
  maxAttempts?: number | null | undefined
}

const { name, priority, hold, timeoutSeconds, maxAttempts } = jobShape
const inputSchema = z.object({ id: z.string(), name, priority, hold, timeoutSeconds, maxAttempts })

/**
 * Changes a job that has not been started: JOB_RUNNING or JOB_FINISHED otherwise. Its entry in the queue changes with
 * it: a new priority counts at once, `hold` takes it out, and `hold: false` puts it back to run as soon as it can.
 */
export async function updateJob(
  { db, queue }: { db: Database; queue: Queue },
  input: UpdateJobInput,
  userId: string | null,
): Promise<Outcome<JobRow>> {
  const checked = checkInput(inputSchema, input)
  if (checked.kind === 'invalid') return checked
  const { asked } = checked
  return await withJob(db, asked.id, async (trx, job) => {
    if (job.status !== 'PENDING') {
      const reason = isTerminal(job.status) ? 'JOB_FINISHED' : 'JOB_RUNNING'
      return conflict(reason, `The job is ${statusWords[job.status]}.`, job)
    }
    const wanted = {
      name: asked.name ?? job.name,
      priority: asked.priority ?? job.priority,
      timeoutSeconds: asked.timeoutSeconds ?? job.timeoutSeconds,
      maxAttempts: asked.maxAttempts ?? job.maxAttempts,
      held: asked.hold ?? job.held,
    }
    if (wanted.maxAttempts !== job.maxAttempts && wanted.maxAttempts <= job.attempt) {
      const message = `must be more than the ${job.attempt} attempts that were made`
      return { kind: 'invalid', issues: [{ path: ['maxAttempts'], message }] }
    }
    const changes = differences(job, wanted)
    if (changes.length === 0) return { kind: 'ok', value: job }

    const moved = wanted.held !== job.held
    const changed = await changeJob(
      trx,
      job,
      {
        ...wanted,
        ...(moved ? { queueId: wanted.held ? null : newQueueId(), nextAttemptAt: null } : {}),
        updatedBy: userId ?? job.updatedBy,
      },
      { lines: [{ level: 'INFO', message: `changed: ${changes.join(', ')}` }] },
    )
    if (!moved) {
      if (changed.queueId !== null && changed.priority !== job.priority) {
        await queue.changePriority(trx, changed.queueId, changed.priority)
      }
    } else if (job.queueId !== null) {
      await queue.cancel(trx, job.queueId)
    } else {
      const site = await findJobSite(trx, job.scrapeUrlId)
      if (!site) throw new Error(`job ${job.id} has no scrape URL`)
      await enqueueJob(queue, trx, changed, site, { sameAttempt: hasNoAttemptLeft(changed) })
    }
    return { kind: 'ok', value: changed }
  })
}

/**
 * Whether a waiting job has used up its attempts: its last one ended with a long Retry-After, which costs none, and the
 * next one goes under the same number.
 */
export function hasNoAttemptLeft(job: Pick<JobRow, 'attempt' | 'maxAttempts'>): boolean {
  return job.attempt >= job.maxAttempts
}

function differences(job: JobRow, wanted: Partial<Record<keyof JobRow, string | number | boolean>>): string[] {
  return Object.entries(wanted)
    .filter(([field, value]) => job[field as keyof JobRow] !== value)
    .map(([field, value]) => `${field} ${value}`)
}
