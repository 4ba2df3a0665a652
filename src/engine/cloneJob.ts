import { z } from 'zod'
import { findJobSite, findJobToClone } from '../db/jobs.ts'
import type { JobRow } from '../db/tables.ts'
import type { CalendarDate } from '../domain.ts'
import { checkInput, hashOf, jobShape, rangeIssues } from './jobInput.ts'
import type { Outcome } from './outcome.ts'
import { answerToKey, defaultName, inactive, type SubmitDeps, storeJob } from './submitJob.ts'
import { noSuchJob } from './withJob.ts'

/** The contract's CloneJobInput with the job's UUID. What is left out, or null, is the original's. */
export interface CloneJobInput {
  id: string
  name?: string | null | undefined
  startDate?: CalendarDate | null | undefined
  endDate?: CalendarDate | null | undefined
  priority?: number | null | undefined
  timeoutSeconds?: number | null | undefined
  maxAttempts?: number | null | undefined
  hold?: boolean | null | undefined
  idempotencyKey?: string | null | undefined
}

const inputSchema = z.object({ id: z.string(), ...jobShape })

/**
 * Submits a job like another one, whatever has become of that. It is held only where the input says so; a name that was
 * made of the original's days is made anew of its own.
 */
export async function cloneJob(
  { db, queue }: Pick<SubmitDeps, 'db' | 'queue'>,
  input: CloneJobInput,
  userId: string | null,
): Promise<Outcome<JobRow>> {
  const checked = checkInput(inputSchema, input)
  if (checked.kind === 'invalid') return checked
  const { asked } = checked
  return await db.transaction().execute(async (trx) => {
    const key = asked.idempotencyKey ? `cloneJob:${asked.idempotencyKey}` : null
    const hash = key ? hashOf(asked) : null
    const first = await answerToKey(trx, userId, key, hash)
    if (first) return first
    const original = z.uuid().safeParse(asked.id).success ? await findJobToClone(trx, asked.id) : null
    if (!original) return noSuchJob(asked.id)
    const site = await findJobSite(trx, original.scrapeUrlId)
    if (!site) throw new Error(`job ${original.id} has no scrape URL`)
    if (!site.active) return inactive(site)
    const range = { startDate: asked.startDate ?? original.startDate, endDate: asked.endDate ?? original.endDate }
    const issues = rangeIssues(range)
    if (issues.length > 0) return { kind: 'invalid', issues }
    const kept = original.name === defaultName(site, original) ? defaultName(site, range) : original.name
    const made = await storeJob(trx, queue, site, {
      name: asked.name ?? kept,
      ...range,
      held: asked.hold ?? false,
      priority: asked.priority ?? original.priority,
      transport: original.transport,
      timeoutSeconds: asked.timeoutSeconds ?? original.timeoutSeconds,
      maxAttempts: asked.maxAttempts ?? original.maxAttempts,
      clonedFromId: original.id,
      idempotencyKey: key,
      idempotencyHash: hash,
      createdBy: userId,
    })
    return { kind: 'ok', value: made }
  })
}
