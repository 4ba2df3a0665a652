import type { Page, PageArgs } from '../db/pages.ts'
import { countiesByFips } from '../db/places.ts'
import {
  deleteScrapeUrl,
  finalDaysOfSites,
  scrapeUrlsById,
  scrapeUrlsOfCounties,
  scrapeUrlsPage,
} from '../db/scrapeUrls.ts'
import type { ScrapeUrlRow } from '../db/tables.ts'
import type { Outcome } from '../engine/outcome.ts'
import { type SaveScrapeUrlInput, saveScrapeUrl } from '../engine/saveScrapeUrl.ts'
import { addDays, dayIn, lookbackDays, suggestedRange } from '../engine/suggestedRange.ts'
import { distinct, inGroups, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { type ScrapeUrlFilterArg, scrapeUrlFilter } from './filters.ts'
import { keyOf } from './globalIds.ts'

export async function loadScrapeUrls(ids: readonly string[], { db }: Context): Promise<(ScrapeUrlRow | null)[]> {
  return inOrder(ids, await scrapeUrlsById(db, distinct(ids)), (row) => row.id)
}

export async function loadScrapeUrlsOfCounties(fips: readonly string[], { db }: Context): Promise<ScrapeUrlRow[][]> {
  return inGroups(fips, await scrapeUrlsOfCounties(db, distinct(fips)), (row) => row.countyFips)
}

export async function scrapeUrls(
  args: PageArgs & { filter?: ScrapeUrlFilterArg | null | undefined },
  { db }: Context,
): Promise<Page<ScrapeUrlRow>> {
  return await scrapeUrlsPage(db, scrapeUrlFilter(args.filter), args)
}

/** The zones in which the sites' days begin: their own, or their county's. */
export async function loadTimezones(rows: readonly ScrapeUrlRow[], { db }: Context): Promise<string[]> {
  const unnamed = distinct(rows.filter((row) => row.timezone === null).map((row) => row.countyFips))
  const found = unnamed.length === 0 ? [] : await countiesByFips(db, unnamed)
  const zones = new Map(found.map((county) => [county.fips, county.timezone]))
  return rows.map((row) => row.timezone ?? zones.get(row.countyFips) ?? 'UTC')
}

/** The days a job of each site reads unless told. */
export async function loadSuggestedRanges(
  rows: readonly ScrapeUrlRow[],
  context: Context,
): Promise<{ startDate: string; endDate: string }[]> {
  const zones = await loadTimezones(rows, context)
  const todays = zones.map((zone) => dayIn(zone))
  const oldest = addDays(todays.toSorted()[0] ?? dayIn('UTC'), -lookbackDays)
  const days = await finalDaysOfSites(context.db, distinct(rows.map((row) => row.id)), oldest)
  return rows.map((row, i) => suggestedRange(todays[i] as string, days.get(row.id) ?? new Set()))
}

/** saveScrapeUrl of the contract: ids in, a scrape URL or the reason out. */
export async function save(
  input: Omit<SaveScrapeUrlInput, 'id' | 'countyFips'> & {
    id?: string | null | undefined
    countyId?: string | null | undefined
  },
  { db, config, viewer }: Context,
): Promise<Outcome<ScrapeUrlRow>> {
  const { id, countyId, ...rest } = input
  const key = id == null ? null : keyOf('CountyScrapeUrl', id)
  if (id != null && key === null) return { kind: 'notFound', id, message: 'There is no such scrape URL.' }
  const fips = countyId == null ? countyId : keyOf('County', countyId)
  if (countyId != null && fips === null) return { kind: 'notFound', id: countyId, message: 'There is no such county.' }
  const outcome = await saveScrapeUrl(
    { db, allowPrivateHosts: config.allowPrivateHosts },
    { ...rest, id: key, countyFips: fips },
    viewer?.user.id ?? null,
  )
  return outcome.kind === 'notFound' ? { ...outcome, id: (key === null ? countyId : id) ?? outcome.id } : outcome
}

/** Deletes a scrape URL that nothing was read at; its schedules go with it. */
export async function remove(id: string, { db }: Context): Promise<Outcome<{ deletedId: string }>> {
  const key = keyOf('CountyScrapeUrl', id)
  const done = key === null ? null : await deleteScrapeUrl(db, key)
  if (done === null) return { kind: 'notFound', id, message: 'There is no such scrape URL.' }
  if (done === 'deleted') return { kind: 'ok', value: { deletedId: id } }
  const message = 'The scrape URL has jobs, or prospects and day reports of theirs. It can be made inactive.'
  return { kind: 'conflict', reason: 'IN_USE', message }
}
