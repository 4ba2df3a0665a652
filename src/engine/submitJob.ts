import { z } from 'zod'
import type { Config } from '../config.ts'
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
import { checkInput, hashOf, jobShape, rangeIssues } from './jobInput.ts'
import type { Outcome } from './outcome.ts'
import { newQueueId, type Queue } from './queue.ts'
import { addDays, dayIn, daysBetween, lookbackDays, suggestedRange } from './suggestedRange.ts'

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

const inputSchema = z.object({ scrapeUrlId: z.string(), ...jobShape, transport: z.enum(transports).optional() })

/**
 * Stores a job with its days and queues it, in one transaction: after the answer it cannot be lost. Days that are
 * left out are the suggested range's. `userId` null: the system itself.
 */
export async function submitJob(
  { db, queue, config }: SubmitDeps,
  input: SubmitJobInput,
  userId: string | null,
): Promise<Outcome<JobRow>> {
  const checked = checkInput(inputSchema, input)
  if (checked.kind === 'invalid') return checked
  const { asked } = checked

  return await db.transaction().execute(async (trx) => {
    const key = asked.idempotencyKey ? `submitJob:${asked.idempotencyKey}` : null
    const hash = key ? hashOf(asked) : null
    const first = await answerToKey(trx, userId, key, hash)
    if (first) return first
    const site = z.uuid().safeParse(asked.scrapeUrlId).success ? await findJobSite(trx, asked.scrapeUrlId) : null
    if (!site) return { kind: 'notFound', id: asked.scrapeUrlId, message: 'There is no such scrape URL.' }
    if (!site.active) return inactive(site)
    const range = await rangeFor(trx, site, asked)
    const issues = rangeIssues(range)
    if (issues.length > 0) return { kind: 'invalid', issues }
    const made = await storeJob(trx, queue, site, {
      name: asked.name ?? defaultName(site, range),
      ...range,
      held: asked.hold ?? false,
      priority: asked.priority ?? 0,
      transport: asked.transport ?? null,
      timeoutSeconds: asked.timeoutSeconds ?? config.jobTimeoutSeconds,
      maxAttempts: asked.maxAttempts ?? defaultMaxAttempts,
      idempotencyKey: key,
      idempotencyHash: hash,
      createdBy: userId,
    })
    return { kind: 'ok', value: made }
  })
}

/** The first attempt and three retries. */
export const defaultMaxAttempts = 4

/** What a job is called unless told. */
export function defaultName(
  site: Pick<JobSite, 'state' | 'countyName'>,
  range: { startDate: CalendarDate; endDate: CalendarDate },
): string {
  return `${site.state} ${site.countyName} ${range.startDate}..${range.endDate}`
}

/** The answer to a key that was used before; null for a new key, which is this transaction's from here on. */
export async function answerToKey(
  trx: Tx,
  userId: string | null,
  key: string | null,
  hash: string | null,
): Promise<Outcome<JobRow> | null> {
  if (key === null) return null
  await lockIdempotencyKey(trx, userId, key)
  const first = await findByIdempotencyKey(trx, userId, key)
  if (!first) return null
  return first.idempotencyHash === hash ? { kind: 'ok', value: first } : { ...keyReused, jobId: first.id }
}

/** The refusal of a key that came with other input before. */
export const keyReused = {
  kind: 'conflict',
  reason: 'KEY_REUSED',
  message: 'This idempotency key was used with other input.',
} as const

export function inactive(site: Pick<JobSite, 'url'>): Outcome<never> {
  return { kind: 'conflict', reason: 'SCRAPE_URL_INACTIVE', message: `The scrape URL ${site.url} is not active.` }
}

/** Stores a job with its days, every one of its range unless told, and its first event; queues it unless it is held. */
export async function storeJob(
  trx: Tx,
  queue: Queue,
  site: JobSite,
  job: Pick<JobRow, 'name' | 'startDate' | 'endDate' | 'held' | 'priority' | 'transport' | 'timeoutSeconds'> &
    Pick<JobRow, 'maxAttempts' | 'idempotencyKey' | 'idempotencyHash' | 'createdBy'> & {
      clonedFromId?: string
      scheduleId?: string
    },
  dates: readonly CalendarDate[] = daysBetween(job.startDate, job.endDate),
): Promise<JobRow> {
  const { countyFips, scrapeUrlId } = site
  const made = await insertJob(
    trx,
    { ...job, countyFips, scrapeUrlId, queueId: job.held ? null : newQueueId(), updatedBy: job.createdBy },
    dates,
  )
  await enqueueJob(queue, trx, made, site)
  return made
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
