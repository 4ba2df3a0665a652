import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Config } from '../config.ts'
import { insertEvent, notifyJob } from '../db/changeJob.ts'
import type { Database, Tx } from '../db/database.ts'
import {
  finalDays,
  findByIdempotencyKey,
  findJobSite,
  insertJob,
  type JobSite,
  lockIdempotencyKey,
} from '../db/jobs.ts'
import type { JobRow } from '../db/tables.ts'
import { type CalendarDate, type Transport, transports } from '../domain.ts'
import type { InputIssue, Outcome } from './outcome.ts'
import { newQueueId, type Queue } from './queue.ts'
import { addDays, dayIn, daysBetween, isCalendarDate, lookbackDays, suggestedRange } from './suggestedRange.ts'

/** What a job is asked for with; the contract's SubmitJobInput with the scrape URL's UUID. null counts as left out. */
export interface SubmitJobInput {
  scrapeUrlId: string
  name?: string | null | undefined
  startDate?: CalendarDate | null | undefined
  endDate?: CalendarDate | null | undefined
  priority?: number | null | undefined
  timeoutSeconds?: number | null | undefined
  maxAttempts?: number | null | undefined
  hold?: boolean | null | undefined
  idempotencyKey?: string | null | undefined
  /** This job's own transport: a terminal's `--transport`; the API has none. */
  transport?: Transport | undefined
}

export interface SubmitDeps {
  db: Database
  queue: Queue
  config: Pick<Config, 'jobTimeoutSeconds'>
}

const mostDays = 366

const calendarDate = z.string().refine(isCalendarDate, 'must be a date of the calendar, such as 2026-03-05')

const wholeNumber = (min: number, max: number) => {
  const message = `must be a whole number from ${min} to ${max}`
  return z.number(message).int(message).min(min, message).max(max, message)
}

const inputSchema = z.object({
  scrapeUrlId: z.string(),
  name: z.string().trim().min(1, 'must not be empty').max(200, 'must have at most 200 characters').nullish(),
  startDate: calendarDate.nullish(),
  endDate: calendarDate.nullish(),
  priority: wholeNumber(-100, 100).nullish(),
  timeoutSeconds: wholeNumber(1, 82_800).nullish(),
  maxAttempts: wholeNumber(1, 10).nullish(),
  hold: z.boolean().nullish(),
  idempotencyKey: z.string().min(1, 'must not be empty').max(200, 'must have at most 200 characters').nullish(),
  transport: z.enum(transports).optional(),
})

/**
 * Stores a job with its days and queues it, in one transaction: after the answer it cannot be lost. Days that are
 * left out are the suggested range's. `userId` null: the system itself.
 */
export async function submitJob(
  { db, queue, config }: SubmitDeps,
  input: SubmitJobInput,
  userId: string | null,
): Promise<Outcome<JobRow>> {
  const parsed = inputSchema.safeParse(input)
  const issues = parsed.success
    ? rangeIssues(parsed.data)
    : parsed.error.issues.map((issue) => ({ path: issue.path.map(String), message: issue.message }))
  if (!parsed.success || issues.length > 0) return { kind: 'invalid', issues }
  const asked = parsed.data

  return await db.transaction().execute(async (trx) => {
    const key = asked.idempotencyKey ? `submitJob:${asked.idempotencyKey}` : null
    const hash = key ? hashOf(asked) : null
    if (key) {
      await lockIdempotencyKey(trx, userId, key)
      const first = await findByIdempotencyKey(trx, userId, key)
      if (first) return answerAgain(first, hash)
    }
    const site = z.uuid().safeParse(asked.scrapeUrlId).success ? await findJobSite(trx, asked.scrapeUrlId) : null
    if (!site) return { kind: 'notFound', id: asked.scrapeUrlId, message: 'There is no such scrape URL.' }
    if (!site.active) {
      return { kind: 'conflict', reason: 'SCRAPE_URL_INACTIVE', message: `The scrape URL ${site.url} is not active.` }
    }
    const range = await rangeFor(trx, site, asked)
    const still = rangeIssues(range)
    if (still.length > 0) return { kind: 'invalid', issues: still }

    const held = asked.hold ?? false
    const made = await insertJob(
      trx,
      {
        name: asked.name ?? `${site.state} ${site.countyName} ${range.startDate}..${range.endDate}`,
        countyFips: site.countyFips,
        scrapeUrlId: site.scrapeUrlId,
        ...range,
        held,
        priority: asked.priority ?? 0,
        transport: asked.transport ?? null,
        timeoutSeconds: asked.timeoutSeconds ?? config.jobTimeoutSeconds,
        maxAttempts: asked.maxAttempts ?? 4,
        queueId: held ? null : newQueueId(),
        idempotencyKey: key,
        idempotencyHash: hash,
        createdBy: userId,
        updatedBy: userId,
      },
      daysBetween(range.startDate, range.endDate),
    )
    await insertEvent(trx, made, null)
    await notifyJob(trx, made)
    await enqueueJob(queue, trx, made, site)
    return { kind: 'ok', value: made }
  })
}

/** Puts the job's present queue id into the queue, where it has one. */
export async function enqueueJob(
  queue: Queue,
  trx: Tx,
  job: JobRow,
  site: Pick<JobSite, 'platform' | 'siteKey'>,
  options: { startAfter?: Date; sameAttempt?: boolean } = {},
): Promise<void> {
  if (job.queueId === null) return
  const { platform, siteKey } = site
  await queue.enqueue(trx, {
    queueId: job.queueId,
    jobId: job.id,
    platform,
    siteKey,
    priority: job.priority,
    ...options,
  })
}

/** Asks for the range once both ends are known; one that is left out is judged when it has been found. */
function rangeIssues(range: {
  startDate?: CalendarDate | null | undefined
  endDate?: CalendarDate | null | undefined
}): InputIssue[] {
  const { startDate, endDate } = range
  if (!startDate || !endDate) return []
  if (endDate < startDate) return [{ path: ['endDate'], message: `must not be before the start date ${startDate}` }]
  if (endDate > addDays(startDate, mostDays - 1)) {
    return [{ path: ['endDate'], message: `must be at most ${mostDays} days from the start date ${startDate}` }]
  }
  return []
}

async function rangeFor(
  trx: Tx,
  site: JobSite,
  asked: { startDate?: CalendarDate | null | undefined; endDate?: CalendarDate | null | undefined },
): Promise<{ startDate: CalendarDate; endDate: CalendarDate }> {
  if (asked.startDate && asked.endDate) return { startDate: asked.startDate, endDate: asked.endDate }
  const today = dayIn(site.timezone)
  const suggested = suggestedRange(today, await finalDays(trx, site.scrapeUrlId, addDays(today, -lookbackDays)))
  return { startDate: asked.startDate ?? suggested.startDate, endDate: asked.endDate ?? suggested.endDate }
}

function answerAgain(first: JobRow, hash: string | null): Outcome<JobRow> {
  if (first.idempotencyHash === hash) return { kind: 'ok', value: first }
  return {
    kind: 'conflict',
    reason: 'KEY_REUSED',
    message: 'This idempotency key was used with other input.',
    jobId: first.id,
  }
}

/** The same for the same input in whatever order its fields came; null and left out are the same. */
function hashOf(asked: Record<string, unknown>): string {
  const given = Object.entries(asked).filter(([, value]) => value !== null && value !== undefined)
  return createHash('sha256')
    .update(JSON.stringify(given.toSorted(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
}
