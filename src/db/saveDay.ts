import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { CalendarDate, DayFigures, SitePlatform } from '../domain.ts'
import { changeJob, type LogEntry, lockExecution } from './changeJob.ts'
import type { Database, Tx } from './database.ts'
import { isFinal } from './final.ts'
import { changesBetween, type RecordedChange } from './prospects/changes.ts'
import type { DayRow, RejectedRow } from './prospects/dayRow.ts'
import { loadKnown, loadLots } from './prospects/known.ts'
import { assignLots } from './prospects/lots.ts'
import { type DayPlan, planDay } from './prospects/plan.ts'
import { recordChanges } from './prospects/recordChanges.ts'
import { type DayCounts, type DayError, sumReports, writeErrors, writeReport } from './prospects/report.ts'
import type { KnownProspect } from './prospects/values.ts'
import { insertJobProspects, insertProspects, raiseLots, updateProspects } from './prospects/write.ts'
import { writeListings } from './prospects/writeListings.ts'
import type { JobRow, StageTiming } from './tables.ts'
import { queueProspects } from './webhookMessages.ts'

export type { DayRow, RejectedRow } from './prospects/dayRow.ts'
export type { DayCounts, DayError } from './prospects/report.ts'

export interface SaveDayInput {
  executionId: string
  /** null: the rows of a site that have no date. */
  date: CalendarDate | null
  figures: DayFigures
  /** The site's own calendar day. */
  today: CalendarDate
  siteKey: string
  /** Distinct by source key, together with `rejected`. */
  rows: readonly DayRow[]
  rejected: readonly RejectedRow[]
  /** Why the day is not done. */
  error: DayError | null
  /** Of the read. */
  durationMs: number
  /** The day's log lines, made once its counts are known. */
  lines: (saved: DayCounts) => LogEntry[]
  /** Of the execution so far. */
  stages: readonly StageTiming[]
}

export interface SavedDay extends Omit<DayCounts, 'saved'> {
  reportId: string
  /** The stored error of a day that is not done. */
  errorId: string | null
  final: boolean
}

/**
 * Saves one read of one auction day in one transaction: prospects, listings, changes, day report, errors, counters,
 * log lines and the job's sequence. All or nothing, and the same read again changes nothing but the times at which
 * things were last seen. The number of statements does not depend on the number of rows.
 *
 * Locks, in this order: the job, the county, the scrape URL, the day's prospects, the counter of changes.
 * Throws FencedError when the execution has been closed.
 */
export async function saveDay(db: Database, input: SaveDayInput): Promise<SavedDay> {
  return await db.transaction().execute(async (trx) => {
    const { job, execution } = await lockExecution(trx, input.executionId)
    const site = await openSite(trx, job)
    const plan = planDay({
      ...site,
      ...(await loadKnown(trx, {
        ...site,
        siteKey: input.siteKey,
        sourceKeys: sourceKeys(input),
        dates: dates(input),
      })),
      siteKey: input.siteKey,
      rows: input.rows,
      rejectedKeys: input.rejected.map((one) => one.sourceKey),
      delists: provesWhatIsListed(input.figures) ? input.date : undefined,
      newId: randomUUID,
    })
    const saved = await writePlan(trx, plan, { ...site, jobId: job.id, siteKey: input.siteKey })
    const counts = count(plan, saved, input.rejected.length)

    const final = await isFinal(trx, { ...input, outcome: input.figures.outcome })
    const reportId = await writeReport(trx, { job, execution }, { ...input, ...counts, final, at: site.at })
    const errorId = await writeErrors(trx, execution, { ...input, reportId, at: site.at })
    const sums = await sumReports(trx, execution, input.stages)
    const changed = await changeJob(trx, job, sums, { lines: input.lines(counts), executionId: execution.id })
    await queueProspects(trx, changed, saved, site.at)
    const changes = saved.flatMap((one) => one.changes.map((change) => ({ prospect: one.prospect, change })))
    await recordChanges(trx, changes, { jobId: job.id, scrapeUrlId: job.scrapeUrlId, at: site.at })
    const { created, updated, unchanged, rejected } = counts
    return { reportId, created, updated, unchanged, rejected, errorId, final }
  })
}

interface OpenSite {
  scrapeUrlId: string
  platform: SitePlatform
  countyFips: string
  countyState: string
  /** The instant of the save. */
  at: Date
}

/** Waits for the county, so that the identity of its prospects is decided by one transaction at a time. */
async function openSite(trx: Tx, job: JobRow): Promise<OpenSite> {
  const { scrapeUrlId, countyFips } = job
  await sql`select pg_advisory_xact_lock(hashtextextended(${`county ${countyFips}`}, 0))`.execute(trx)
  const site = await trx
    .updateTable('scrapeUrls as u')
    .from('counties as c')
    .set({ lastScrapedAt: sql<Date>`clock_timestamp()` })
    .where('u.id', '=', scrapeUrlId)
    .where('c.fips', '=', countyFips)
    .returning(['u.platform', 'c.stateCode as countyState', sql<Date>`u.last_scraped_at`.as('at')])
    .executeTakeFirstOrThrow()
  return { scrapeUrlId, countyFips, ...site }
}

interface SavedProspect {
  prospect: KnownProspect
  changes: RecordedChange[]
}

/** Writes what was planned; returns the prospects as they now stand, with what has changed of each. */
async function writePlan(
  trx: Tx,
  plan: DayPlan,
  by: OpenSite & { jobId: string; siteKey: string },
): Promise<SavedProspect[]> {
  const { lots, highest } = assignLots(plan.lotRequests, await loadLots(trx, plan.lotRequests))
  const placed = plan.writes.map((write) => {
    const lot = lots.get(write.id) ?? write.before?.lot
    if (lot === undefined) throw new Error(`prospect ${write.id} has no lot`)
    return { ...write, lot }
  })
  // Those that move leave their places before new ones come.
  const updated = await updateProspects(
    trx,
    placed.filter((write) => write.before),
    by,
  )
  const inserted = await insertProspects(
    trx,
    placed.filter((write) => !write.before),
    by,
  )
  await raiseLots(trx, highest)
  await writeListings(trx, plan, by)
  await insertJobProspects(
    trx,
    by.jobId,
    plan.bindings.map((one) => one.prospectId),
  )
  const stored = new Map([...updated, ...inserted].map((one) => [one.id, one]))
  return plan.writes.map(({ id, before }) => {
    const prospect = stored.get(id)
    if (!prospect) throw new Error(`prospect ${id} was not written`)
    return { prospect, changes: changesBetween(before, prospect) }
  })
}

/** A row counts as updated when its prospect's history has grown. */
function count(plan: DayPlan, saved: readonly SavedProspect[], rejected: number): DayCounts {
  const changed = new Set(saved.filter((one) => one.changes.length > 0).map((one) => one.prospect.id))
  const created = plan.bindings.filter((one) => one.isNew).length
  const updated = plan.bindings.filter((one) => !one.isNew && changed.has(one.prospectId)).length
  const total = plan.bindings.length
  return { created, updated, unchanged: total - created - updated, saved: total, rejected }
}

/** Only a read that is proved says of a listing that it is gone. */
function provesWhatIsListed({ outcome }: DayFigures): boolean {
  return outcome === 'COMPLETE' || outcome === 'EMPTY'
}

function sourceKeys(input: SaveDayInput): string[] {
  return [...input.rows, ...input.rejected].map((one) => one.sourceKey)
}

function dates(input: SaveDayInput): (CalendarDate | null)[] {
  return [...new Set([input.date, ...input.rows.map((row) => row.fields.auctionDate)])]
}
