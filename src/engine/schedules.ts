import type { Config } from '../config.ts'
import type { Database, Tx } from '../db/database.ts'
import { finalDays, findJobSite, type JobSite, transactionTime } from '../db/jobs.ts'
import { claimDueSchedule, lastJobsOfSchedules, msUntilNextRun, updateSchedule } from '../db/schedules.ts'
import type { JobRow, ScheduleRow } from '../db/tables.ts'
import { type CalendarDate, isTerminal } from '../domain.ts'
import type { Logger } from '../log.ts'
import { nextRun } from './cron.ts'
import type { Queue } from './queue.ts'
import { type Repeated, repeat } from './repeat.ts'
import { defaultMaxAttempts, defaultName, storeJob } from './submitJob.ts'
import { addDays, dayIn, daysBetween } from './suggestedRange.ts'

export interface ScheduleDeps {
  db: Database
  queue: Queue
  config: Pick<Config, 'jobTimeoutSeconds'>
  log: Logger
}

/** A schedule saved elsewhere is noticed so late at most. */
const longestMs = 15_000

/**
 * Fires schedules in this node, one of many: it sleeps until the next one is due, 15 s at most. Whichever node comes
 * first claims a due schedule and makes its job, in one transaction; the others pass it over.
 */
export function startSchedules(deps: ScheduleDeps): Repeated {
  return repeat({ what: 'firing schedules', longestMs, log: deps.log, pass: async () => await fireDue(deps) })
}

/** Fires what is due. Answers the milliseconds until the next. */
async function fireDue(deps: ScheduleDeps): Promise<number> {
  const { db, log } = deps
  const failed: string[] = []
  for (;;) {
    const claimed: { id: string | null } = { id: null }
    try {
      const fired = await db.transaction().execute(async (trx) => {
        const schedule = await claimDueSchedule(trx, failed)
        claimed.id = schedule?.id ?? null
        return schedule && (await fire(trx, deps, schedule))
      })
      if (!fired) break
      log.info(fired, fired.jobId === null ? 'a run of a schedule was skipped' : 'a schedule made a job')
    } catch (error) {
      // One that cannot be fired must not keep the others; it is due again in the next pass.
      if (claimed.id === null) throw error
      log.error({ err: error, scheduleId: claimed.id }, 'a schedule could not be fired')
      failed.push(claimed.id)
    }
  }
  return failed.length > 0 ? longestMs : ((await msUntilNextRun(db)) ?? longestMs)
}

/**
 * One run of a schedule that is due: a job, or, while its last job is not terminal or its site not active, a skip that
 * is counted. The next run is the first after now, so that however many were missed, one is made up for.
 */
async function fire(
  trx: Tx,
  deps: ScheduleDeps,
  schedule: ScheduleRow,
): Promise<{ scheduleId: string; jobId: string | null }> {
  const site = await findJobSite(trx, schedule.scrapeUrlId)
  if (!site) throw new Error(`schedule ${schedule.id} has no scrape URL`)
  const now = await transactionTime(trx)
  const nextRunAt = nextRun(schedule.cron, schedule.timezone ?? site.timezone, now)
  const [last] = await lastJobsOfSchedules(trx, [schedule.id])
  if (!site.active || (last && !isTerminal(last.status))) {
    await updateSchedule(trx, schedule.id, { nextRunAt, skippedRuns: schedule.skippedRuns + 1 })
    return { scheduleId: schedule.id, jobId: null }
  }
  const job = await makeJob(trx, deps, schedule, { site, today: dayIn(site.timezone, now) })
  await updateSchedule(trx, schedule.id, { nextRunAt, lastRunAt: now })
  return { scheduleId: schedule.id, jobId: job.id }
}

/** The window around the site's today without the days that are final. Today never is. */
async function makeJob(
  trx: Tx,
  { queue, config }: ScheduleDeps,
  schedule: ScheduleRow,
  { site, today }: { site: JobSite; today: CalendarDate },
): Promise<JobRow> {
  const first = addDays(today, -schedule.lookbackDays)
  const final = await finalDays(trx, site.scrapeUrlId, first)
  const dates = daysBetween(first, addDays(today, schedule.lookaheadDays)).filter((day) => !final.has(day))
  const range = { startDate: dates[0] ?? today, endDate: dates.at(-1) ?? today }
  return await storeJob(
    trx,
    queue,
    site,
    {
      name: defaultName(site, range),
      ...range,
      held: false,
      priority: schedule.priority,
      transport: null,
      timeoutSeconds: config.jobTimeoutSeconds,
      maxAttempts: defaultMaxAttempts,
      idempotencyKey: null,
      idempotencyHash: null,
      createdBy: null,
      scheduleId: schedule.id,
    },
    dates,
  )
}
