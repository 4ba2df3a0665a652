import type { Config } from '../config.ts'
import { FencedError } from '../db/changeJob.ts'
import { isConnectionLoss, throughConnectionLoss } from '../db/connectionLoss.ts'
import type { Database } from '../db/database.ts'
import { findJobOf, findJobSite, type JobSite, openDates } from '../db/jobs.ts'
import { type SaveDayInput, saveDay } from '../db/saveDay.ts'
import type { JobRow } from '../db/tables.ts'
import { type CalendarDate, doneOutcomes, type SitePlatform } from '../domain.ts'
import type { Logger } from '../log.ts'
import { convertDay } from './convertDay.ts'
import { writeJobCsv } from './csv.ts'
import { asScrapeError, ScrapeError } from './errors.ts'
import { openFetchers } from './fetch/openFetchers.ts'
import { createProgress, type Progress } from './progress.ts'
import type { EndingError, RunOutcome } from './protocol.ts'
import type { DayRead, Site } from './sites/site.ts'
import { createStages, type Stages } from './stages.ts'
import { dayIn } from './suggestedRange.ts'

export interface RunDeps {
  db: Database
  databaseUrl: string
  config: Config
  log: Logger
  siteFor: (platform: SitePlatform) => Site
}

interface Run extends RunDeps {
  executionId: string
  job: JobRow
  site: JobSite
  /** The scrape URL's. */
  options: unknown
  today: CalendarDate
  stages: Stages
  progress: Progress
}

/**
 * Runs one attempt of a job in a worker: reads the days that are not done, saves each, and writes the job's file when
 * none is left. Answers what came of it; its parent ends the execution. A database that goes away is waited for, a
 * minute each time; throws only when it does not come back: the worker then dies, and the job is run again.
 */
export async function runJob(
  deps: RunDeps,
  { executionId, deadline }: { executionId: string; deadline: number },
): Promise<RunOutcome> {
  const stages = createStages()
  const ends = new AbortController()
  const progress = createProgress(deps.db, executionId, (error) => ends.abort(error))
  try {
    const found = await throughConnectionLoss(async () => await findRun(deps.db, executionId))
    const run: Run = { ...deps, executionId, ...found, stages, progress, today: dayIn(found.site.timezone) }
    const error = await attempt(run, { deadline, signal: ends.signal })
    await stages.time('NOTIFY', async () => await progress.flush())
    if (error) return { kind: 'failed', error, stages: stages.timings() }
    return { kind: 'completed', stages: stages.timings() }
  } catch (error) {
    if (error instanceof FencedError) return { kind: 'fenced' }
    throw error
  } finally {
    ends.abort()
  }
}

/** Answers the error that ends the attempt, or null. Throws FencedError and what says that the database is lost. */
async function attempt(run: Run, limits: { deadline: number; signal: AbortSignal }): Promise<EndingError | null> {
  const { db, config, job, site, stages } = run
  try {
    const error = await readDays(run, limits)
    const write = async () => await writeJobCsv(db, config.csvDir, job, site)
    if (!error) await stages.time('EXPORT', async () => await throughConnectionLoss(write, limits.signal))
    return error
  } catch (thrown) {
    // An abort is only the messenger of what the telling of progress has met.
    const error: unknown = limits.signal.aborted ? limits.signal.reason : thrown
    if (error instanceof FencedError || isConnectionLoss(error)) throw error
    return endingError(asScrapeError(error), null)
  }
}

/** Reads and saves the open days in order. Answers the error of the first that is still open; null when all are done. */
async function readDays(
  run: Run,
  { deadline, signal }: { deadline: number; signal: AbortSignal },
): Promise<EndingError | null> {
  const { db, job, site, progress, stages } = run
  const dates = await throughConnectionLoss(async () => await openDates(db, job.id), signal)
  const unread = new Set(dates)
  const unknownLabels = new Set<string>()
  let firstOpen: EndingError | null = null
  const log = (line: Parameters<Progress['log']>[0]) => progress.log(line)
  const fetchers = openFetchers({ ...run, deadline, signal, platform: site.platform })
  try {
    const visit = {
      url: new URL(site.url),
      options: run.options,
      dates,
      today: run.today,
      transport: job.transport ?? site.transport,
      http: fetchers.http,
      browser: fetchers.browser,
      signal,
      log: (level: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR', message: string, data?: Record<string, unknown>) =>
        log({ level, message, data }),
      stage: async <T>(name: 'FETCH' | 'PARSE', work: () => Promise<T> | T) => await stages.time(name, work),
    }
    const left = [...dates]
    const next = () => left[0] !== undefined && progress.tell({ currentDate: left[0] })
    let started = performance.now()
    next()
    for await (const read of run.siteFor(site.platform).read(visit)) {
      signal.throwIfAborted()
      const durationMs = Math.round(performance.now() - started)
      const error = await saveRead(run, read, { durationMs, unknownLabels })
      if (read.date !== null) unread.delete(read.date)
      firstOpen ??= error
      // The site asks for more time than the attempt has left: this is what decides when to come back.
      if (error?.retryAfterSeconds !== undefined) return error
      if (read.outcome === 'BLOCKED') return firstOpen
      if (read.date !== null) left.splice(0, left.indexOf(read.date) + 1)
      started = performance.now()
      next()
    }
  } finally {
    if (unknownLabels.size > 0) {
      const labels = [...unknownLabels]
      log({ level: 'WARN', message: `unknown labels: ${labels.join(', ')}`, data: { labels } })
    }
    await fetchers.close()
  }
  if (firstOpen) return firstOpen
  if (unread.size === 0) return null
  throw new ScrapeError('INTERNAL', `the adapter of ${site.platform} left out ${[...unread].join(', ')}`)
}

/** Converts and saves one day. Answers its error where it is not done. */
async function saveRead(
  run: Run,
  read: DayRead,
  { durationMs, unknownLabels }: { durationMs: number; unknownLabels: Set<string> },
): Promise<EndingError | null> {
  const { db, executionId, site, stages, progress, today } = run
  const { items, date, error, ...figures } = read
  const context = {
    platform: site.platform,
    state: site.state,
    timezone: site.timezone,
    today,
    auctionType: site.auctionType,
  }
  const converted = await stages.time('CONVERT', () => convertDay(items, context))
  for (const label of converted.unknownLabels) unknownLabels.add(label)
  const lines = await progress.takeLines()
  const started = performance.now()
  const input = {
    executionId,
    date,
    figures,
    today,
    siteKey: site.siteKey,
    rows: converted.rows,
    rejected: converted.rejected,
    error: error && {
      category: error.category,
      code: error.code,
      message: error.message,
      retryable: error.retryable,
      traceback: traceOf(error),
      ...(error.detail.url === undefined ? {} : { url: error.detail.url }),
    },
    durationMs,
    stages: stages.timings(),
    lines: (counts) => {
      const took = `in ${Math.round(performance.now() - started)} ms`
      const of = date ?? 'no date'
      const rejected = counts.rejected > 0 ? `, ${counts.rejected} rejected,` : ''
      const message = `saved ${counts.saved} auctions${rejected} of ${of} ${took}`
      const open = error ? ` (${figures.outcome}: ${error.message})` : ''
      return [...lines, { level: error ? 'WARN' : 'INFO', message: message + open, data: { ...counts, ...figures } }]
    },
  } satisfies SaveDayInput
  const save = async () => await saveDay(db, input)
  const saved = await stages.time('SAVE', async () => await throughConnectionLoss(save))
  if (doneOutcomes.includes(figures.outcome)) return null
  const reason = error ?? new ScrapeError('DAY_INCOMPLETE', `${date ?? 'undated rows'}: ${figures.outcome}`)
  return { ...endingError(reason, saved.errorId), date }
}

async function findRun(db: Database, executionId: string): Promise<Pick<Run, 'job' | 'site' | 'options'>> {
  const found = await findJobOf(db, executionId)
  const site = found && (await findJobSite(db, found.job.scrapeUrlId))
  if (!site) throw new FencedError(`execution ${executionId} has no job`)
  return { ...found, site }
}

function endingError(error: ScrapeError, errorId: string | null): EndingError {
  const { date, url, retryAfterSeconds } = error.detail
  return {
    code: error.code,
    message: error.message,
    traceback: traceOf(error),
    date: date ?? null,
    url: url ?? null,
    retryAfterSeconds,
    errorId,
  }
}

/** The stack with those of its causes. */
function traceOf(error: Error): string {
  const { cause } = error
  return cause instanceof Error ? `${error.stack}\ncaused by ${traceOf(cause)}` : `${error.stack}`
}
