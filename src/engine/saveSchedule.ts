import { IANAZone } from 'luxon'
import type { Database, Tx } from '../db/database.ts'
import { findJobSite, type JobSite, transactionTime } from '../db/jobs.ts'
import { insertSchedule, lockSchedule, lockSchedulesInSiteZone, updateSchedule } from '../db/schedules.ts'
import type { ScheduleRow } from '../db/tables.ts'
import { cronIssue, nextRun } from './cron.ts'
import type { InputIssue, Outcome } from './outcome.ts'
import { lookaheadDays, lookbackDays } from './suggestedRange.ts'

/** The contract's SaveScheduleInput, with keys for ids. What is left out stays, and null clears. */
export interface SaveScheduleInput {
  id?: string | null | undefined
  scrapeUrlId?: string | null | undefined
  cron?: string | null | undefined
  timezone?: string | null | undefined
  lookbackDays?: number | null | undefined
  lookaheadDays?: number | null | undefined
  priority?: number | null | undefined
  active?: boolean | null | undefined
}

/** A job takes at most so many days. */
const mostDays = 366

/**
 * Saves a schedule: a new one without `id` (scrapeUrlId and cron are required then), else the changes of it. A change
 * of the pattern, its zone or its site, or a new start, counts from now; any other leaves the next run where it is.
 */
export async function saveSchedule(
  db: Database,
  input: SaveScheduleInput,
  userId: string | null,
): Promise<Outcome<ScheduleRow>> {
  return await db.transaction().execute(async (trx): Promise<Outcome<ScheduleRow>> => {
    const old = input.id == null ? null : await lockSchedule(trx, input.id)
    if (input.id != null && !old) return { kind: 'notFound', id: input.id, message: 'There is no such schedule.' }

    const wanted = merge(input, old)
    const issues = issuesOf(wanted)
    const { scrapeUrlId, cron } = wanted
    if (issues.length > 0 || scrapeUrlId === null || cron === null) return { kind: 'invalid', issues }
    const site = await findJobSite(trx, scrapeUrlId)
    if (!site) return { kind: 'notFound', id: scrapeUrlId, message: 'There is no such scrape URL.' }

    const counts = ['scrapeUrlId', 'cron', 'timezone', 'active'] as const
    const anew = !old || counts.some((name) => wanted[name] !== old[name])
    const values = {
      ...wanted,
      scrapeUrlId,
      cron,
      nextRunAt: anew ? await nextRunOf(trx, { ...wanted, cron }, site) : old.nextRunAt,
    }
    const saved = old
      ? await updateSchedule(trx, old.id, values)
      : await insertSchedule(trx, { ...values, createdBy: userId })
    return { kind: 'ok', value: saved }
  })
}

/** Counts the next runs anew of the schedules that follow the zone of this site, which has changed. */
export async function retimeSchedules(db: Database, scrapeUrlId: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const schedules = await lockSchedulesInSiteZone(trx, scrapeUrlId)
    const site = schedules.length === 0 ? null : await findJobSite(trx, scrapeUrlId)
    if (!site) return
    for (const schedule of schedules) {
      await updateSchedule(trx, schedule.id, { nextRunAt: await nextRunOf(trx, schedule, site) })
    }
  })
}

async function nextRunOf(
  trx: Tx,
  schedule: Pick<ScheduleRow, 'cron' | 'timezone' | 'active'>,
  site: JobSite,
): Promise<Date | null> {
  if (!schedule.active) return null
  return nextRun(schedule.cron, schedule.timezone ?? site.timezone, await transactionTime(trx))
}

type Wanted = Pick<ScheduleRow, 'timezone' | 'lookbackDays' | 'lookaheadDays' | 'priority' | 'active'> & {
  scrapeUrlId: string | null
  cron: string | null
}

/** What the schedule is to be: left out, it stays; null is what a new one has. */
function merge(input: SaveScheduleInput, old: ScheduleRow | null): Wanted {
  const fresh: Wanted = {
    scrapeUrlId: null,
    cron: null,
    timezone: null,
    lookbackDays,
    lookaheadDays,
    priority: 0,
    active: true,
  }
  const pick = <Name extends keyof Wanted>(name: Name): Wanted[Name] => {
    const given = input[name] as Wanted[Name] | null | undefined
    return given === undefined ? (old ?? fresh)[name] : (given ?? fresh[name])
  }
  return {
    scrapeUrlId: pick('scrapeUrlId'),
    cron: pick('cron')?.trim() ?? null,
    timezone: pick('timezone'),
    lookbackDays: pick('lookbackDays'),
    lookaheadDays: pick('lookaheadDays'),
    priority: pick('priority'),
    active: pick('active'),
  }
}

/** Everything that is wrong, at once. */
function issuesOf(wanted: Wanted): InputIssue[] {
  const issues: InputIssue[] = []
  const add = (path: string, message: string) => issues.push({ path: [path], message })
  if (wanted.scrapeUrlId === null) add('scrapeUrlId', 'is required')
  const reason = wanted.cron === null ? 'is required' : cronIssue(wanted.cron)
  if (reason !== null) add('cron', reason)
  if (wanted.timezone !== null && !IANAZone.isValidZone(wanted.timezone)) {
    add('timezone', 'must be an IANA time zone, such as America/New_York')
  }
  const whole = (name: 'lookbackDays' | 'lookaheadDays' | 'priority', min: number, max: number) => {
    const value = wanted[name]
    const fits = Number.isInteger(value) && value >= min && value <= max
    if (!fits) add(name, `must be a whole number from ${min} to ${max}`)
    return fits
  }
  const fit = [whole('lookbackDays', 0, mostDays - 1), whole('lookaheadDays', 0, mostDays - 1)]
  if (fit.every(Boolean) && wanted.lookbackDays + wanted.lookaheadDays >= mostDays) {
    add('lookaheadDays', `must make at most ${mostDays} days with the ${wanted.lookbackDays} back and today`)
  }
  whole('priority', -100, 100)
  return issues
}
