import { z } from 'zod'
import { findBatchByKey, insertBatch } from '../db/batches.ts'
import type { Tx } from '../db/database.ts'
import { type JobSite, lockIdempotencyKey } from '../db/jobs.ts'
import {
  countHeldJobs,
  insertJobs,
  lockHeldJobs,
  missingScrapeUrls,
  missingStates,
  type NewJob,
  releaseJobs,
  selectSites,
} from '../db/manyJobs.ts'
import { finalDaysOfSites } from '../db/scrapeUrls.ts'
import { type AuctionType, auctionTypes, type CalendarDate, type SitePlatform, sitePlatforms } from '../domain.ts'
import { checkInput, hashOf, jobShape, rangeIssues } from './jobInput.ts'
import { checkLimit } from './limit.ts'
import type { InputIssue, Outcome } from './outcome.ts'
import { newQueueId } from './queue.ts'
import { defaultMaxAttempts, defaultName, keyReused, type SubmitDeps } from './submitJob.ts'
import { addDays, dayIn, daysBetween, lookbackDays, suggestedRange } from './suggestedRange.ts'
import { hasNoAttemptLeft } from './updateJob.ts'

/** The contract's SubmitJobsInput with UUIDs. null counts as left out, and so does `all: false`. */
export interface SubmitJobsInput {
  scrapeUrlIds?: readonly string[] | null | undefined
  states?: readonly string[] | null | undefined
  all?: boolean | null | undefined
  auctionType?: readonly AuctionType[] | null | undefined
  platform?: readonly SitePlatform[] | null | undefined
  startDate?: CalendarDate | null | undefined
  endDate?: CalendarDate | null | undefined
  priority?: number | null | undefined
  timeoutSeconds?: number | null | undefined
  maxAttempts?: number | null | undefined
  hold?: boolean | null | undefined
  idempotencyKey?: string | null | undefined
}

/**
 * A batch is one transaction; more jobs, or more days of all its jobs together, are refused. There is room for every
 * site with its suggested days.
 */
export const mostBatchJobs = 5_000
export const mostBatchDays = 250_000

const listOf = <T extends z.ZodType>(item: T) => z.array(item).min(1, 'must not be an empty list').nullish()

const { name: _, ...commonShape } = jobShape

const inputSchema = z.object({
  scrapeUrlIds: listOf(z.string()),
  states: listOf(z.string()),
  all: z.boolean().nullish(),
  auctionType: listOf(z.enum(auctionTypes)),
  platform: listOf(z.enum(sitePlatforms)),
  ...commonShape,
})

/**
 * Stores a job for every active site of a selection and queues them, as one batch in one transaction: all of it or
 * nothing. A selection of no active site makes an empty batch. Days that are left out are each site's suggested range.
 */
export async function submitJobs(
  { db, queue, config }: SubmitDeps,
  input: SubmitJobsInput,
  userId: string | null,
): Promise<Outcome<{ batchId: string }>> {
  const selection = {
    scrapeUrlIds: unique(input.scrapeUrlIds),
    states: unique(input.states?.map((code) => code.toUpperCase())),
    auctionType: unique(input.auctionType),
    platform: unique(input.platform),
  }
  const checked = checkInput(inputSchema, { ...input, ...selection, all: input.all || null })

  return await db.transaction().execute(async (trx): Promise<Outcome<{ batchId: string }>> => {
    const issues = [
      ...selectionIssues(input),
      ...(await stateIssues(trx, input.states)),
      ...(checked.kind === 'invalid' ? checked.issues : []),
    ]
    if (checked.kind === 'invalid' || issues.length > 0) return { kind: 'invalid', issues }
    const { asked } = checked
    const key = asked.idempotencyKey ?? null
    const hash = key === null ? null : hashOf(asked)
    if (key !== null) {
      await lockIdempotencyKey(trx, userId, `submitJobs:${key}`)
      const first = await findBatchByKey(trx, userId, key)
      if (first) return first.idempotencyHash === hash ? { kind: 'ok', value: { batchId: first.id } } : keyReused
    }

    const missing = await missingAmong(trx, selection.scrapeUrlIds)
    if (missing !== null) return { kind: 'notFound', id: missing, message: 'There is no such scrape URL.' }
    const sites = await selectSites(trx, selection, mostBatchJobs + 1)
    const held = asked.hold ?? false
    const jobs = await plan(trx, sites, { ...asked, held })
    const still = planIssues(input, jobs)
    if (still.length > 0) return { kind: 'invalid', issues: still }

    const made = await insertJobs(trx, jobs, {
      held,
      priority: asked.priority ?? 0,
      timeoutSeconds: asked.timeoutSeconds ?? config.jobTimeoutSeconds,
      maxAttempts: asked.maxAttempts ?? defaultMaxAttempts,
      createdBy: userId,
    })
    const ids = made.map((job) => job.id)
    const batch = await insertBatch(trx, { createdBy: userId, idempotencyKey: key, idempotencyHash: hash }, ids)
    const siteOf = new Map(sites.map((site) => [site.scrapeUrlId, site]))
    await queue.enqueueMany(
      trx,
      made.flatMap(({ id, queueId, scrapeUrlId, priority }) => {
        const site = siteOf.get(scrapeUrlId)
        if (queueId === null || !site) return []
        return [{ queueId, jobId: id, priority, platform: site.platform, siteKey: site.siteKey }]
      }),
    )
    return { kind: 'ok', value: { batchId: batch.id } }
  })
}

/**
 * Releases held jobs, oldest first, as a batch; `remaining` are still held. At most `limit`, 1,000 unless told.
 */
export async function processPendingJobs(
  { db, queue }: Pick<SubmitDeps, 'db' | 'queue'>,
  limit: number | null | undefined,
  userId: string | null,
): Promise<Outcome<{ batchId: string; remaining: number }>> {
  const checked = checkLimit(limit)
  if (checked.kind === 'invalid') return checked
  return await db.transaction().execute(async (trx) => {
    const ids = await lockHeldJobs(trx, checked.limit)
    const batch = await insertBatch(trx, { createdBy: userId }, ids)
    const released = await releaseJobs(trx, ids, { userId, message: 'released' })
    await queue.enqueueMany(
      trx,
      released.flatMap((job) => {
        const { id, queueId, priority, platform, siteKey } = job
        if (queueId === null) return []
        return [{ queueId, jobId: id, priority, platform, siteKey, sameAttempt: hasNoAttemptLeft(job) }]
      }),
    )
    return { kind: 'ok', value: { batchId: batch.id, remaining: await countHeldJobs(trx) } }
  })
}

function selectionIssues(input: SubmitJobsInput): InputIssue[] {
  const given = [input.scrapeUrlIds != null, input.states != null, input.all === true].filter(Boolean)
  if (given.length === 1) return []
  return [{ path: [], message: 'must name exactly one of scrapeUrlIds, states and all' }]
}

async function stateIssues(trx: Tx, states: readonly string[] | null | undefined): Promise<InputIssue[]> {
  if (states == null) return []
  const codes = states.map((code) => code.toUpperCase())
  const known = codes.filter((code) => /^[A-Z]{2}$/.test(code))
  const missing = await missingStates(trx, known)
  return codes.flatMap((code, i) =>
    missing.has(code) || !known.includes(code)
      ? [{ path: ['states', String(i)], message: `${code} is not the code of a state` }]
      : [],
  )
}

/** The first id that leads nowhere; null when all are scrape URLs. */
async function missingAmong(trx: Tx, ids: readonly string[] | null): Promise<string | null> {
  if (ids === null) return null
  const malformed = ids.find((id) => !z.uuid().safeParse(id).success)
  return malformed ?? (await missingScrapeUrls(trx, ids))[0] ?? null
}

/** The job of each site: its days where they are told, else the site's suggested range. */
async function plan(
  trx: Tx,
  sites: readonly JobSite[],
  asked: { startDate?: CalendarDate | null | undefined; endDate?: CalendarDate | null | undefined; held: boolean },
): Promise<NewJob[]> {
  const { startDate, endDate, held } = asked
  const suggest = startDate && endDate ? null : await suggestedRanges(trx, sites)
  return sites.map((site) => {
    const suggested = suggest?.(site)
    const range = { startDate: startDate ?? suggested?.startDate ?? '', endDate: endDate ?? suggested?.endDate ?? '' }
    const { scrapeUrlId, countyFips } = site
    return { scrapeUrlId, countyFips, name: defaultName(site, range), ...range, queueId: held ? null : newQueueId() }
  })
}

/** The suggested range of each site, read in one statement; sites with the same days share the reckoning. */
async function suggestedRanges(trx: Tx, sites: readonly JobSite[]) {
  const ids = sites.map((site) => site.scrapeUrlId)
  const zones = new Map(unique(sites.map((site) => site.timezone)).map((zone) => [zone, dayIn(zone)]))
  const [earliest] = [...zones.values()].toSorted()
  const finals = earliest ? await finalDaysOfSites(trx, ids, addDays(earliest, -lookbackDays)) : new Map()
  const known = new Map<string, { startDate: CalendarDate; endDate: CalendarDate }>()
  return (site: JobSite) => {
    const today = zones.get(site.timezone) ?? dayIn(site.timezone)
    const final: Set<CalendarDate> = finals.get(site.scrapeUrlId) ?? new Set()
    const days = [today, ...[...final].toSorted()].join()
    const range = known.get(days) ?? suggestedRange(today, final)
    known.set(days, range)
    return range
  }
}

/** What can only be judged once the sites and their days are known. */
function planIssues(input: SubmitJobsInput, jobs: readonly NewJob[]): InputIssue[] {
  if (jobs.length > mostBatchJobs) {
    const path = [input.scrapeUrlIds ? 'scrapeUrlIds' : input.states ? 'states' : 'all']
    return [{ path, message: `selects more than ${mostBatchJobs} sites` }]
  }
  const ranges = new Map(jobs.map(({ startDate, endDate }) => [`${startDate}${endDate}`, { startDate, endDate }]))
  const issues = [...ranges.values()].flatMap(rangeIssues)
  if (issues.length > 0) return issues
  const length = new Map([...ranges].map(([key, range]) => [key, daysBetween(range.startDate, range.endDate).length]))
  const days = jobs.reduce((sum, job) => sum + (length.get(`${job.startDate}${job.endDate}`) ?? 0), 0)
  if (days <= mostBatchDays) return []
  return [{ path: ['endDate'], message: `${days} days of all sites together; at most ${mostBatchDays}` }]
}

/** Each value once, in order: the same input in another order is the same input. */
function unique<T extends string>(values: readonly T[]): T[]
function unique<T extends string>(values: readonly T[] | null | undefined): T[] | null
function unique<T extends string>(values: readonly T[] | null | undefined): T[] | null {
  return values == null ? null : [...new Set(values)].toSorted()
}
