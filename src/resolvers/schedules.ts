import { allSchedules, deleteSchedule, lastJobsOfSchedules, schedulesById } from '../db/schedules.ts'
import type { JobRow, ScheduleRow, ScrapeUrlRow } from '../db/tables.ts'
import type { Outcome } from '../engine/outcome.ts'
import { type SaveScheduleInput, saveSchedule } from '../engine/saveSchedule.ts'
import { distinct, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { keyOf } from './globalIds.ts'
import { loadScrapeUrls, loadTimezones } from './scrapeUrls.ts'

export async function schedules({ db }: Context): Promise<ScheduleRow[]> {
  return await allSchedules(db)
}

export async function loadSchedules(ids: readonly string[], { db }: Context): Promise<(ScheduleRow | null)[]> {
  return inOrder(ids, await schedulesById(db, distinct(ids)), (row) => row.id)
}

/** The newest job of each schedule. */
export async function loadLastJobs(ids: readonly string[], { db }: Context): Promise<(JobRow | null)[]> {
  return inOrder(ids, await lastJobsOfSchedules(db, distinct(ids)), (row) => row.scheduleId)
}

/** The zones in which the schedules' patterns run: their own, or their site's. */
export async function loadScheduleZones(rows: readonly ScheduleRow[], context: Context): Promise<string[]> {
  const unnamed = distinct(rows.filter((row) => row.timezone === null).map((row) => row.scrapeUrlId))
  const sites = unnamed.length === 0 ? [] : await loadScrapeUrls(unnamed, context)
  const found = sites.filter((site): site is ScrapeUrlRow => site !== null)
  const zones = await loadTimezones(found, context)
  const bySite = new Map(found.map((site, i) => [site.id, zones[i]]))
  return rows.map((row) => row.timezone ?? bySite.get(row.scrapeUrlId) ?? 'UTC')
}

/** saveSchedule of the contract: ids in, a schedule or the reason out. */
export async function save(input: SaveScheduleInput, { db, viewer }: Context): Promise<Outcome<ScheduleRow>> {
  const id = input.id == null ? null : keyOf('Schedule', input.id)
  if (input.id != null && id === null) return { kind: 'notFound', id: input.id, message: 'There is no such schedule.' }
  const { scrapeUrlId: site } = input
  const scrapeUrlId = site == null ? site : keyOf('CountyScrapeUrl', site)
  if (site != null && scrapeUrlId === null) {
    return { kind: 'notFound', id: site, message: 'There is no such scrape URL.' }
  }
  const outcome = await saveSchedule(db, { ...input, id, scrapeUrlId }, viewer?.user.id ?? null)
  if (outcome.kind !== 'notFound') return outcome
  return { ...outcome, id: (outcome.id === id ? input.id : site) ?? outcome.id }
}

export async function remove(id: string, { db }: Context): Promise<Outcome<{ deletedId: string }>> {
  const key = keyOf('Schedule', id)
  const deleted = key !== null && (await deleteSchedule(db, key))
  return deleted
    ? { kind: 'ok', value: { deletedId: id } }
    : { kind: 'notFound', id, message: 'There is no such schedule.' }
}
