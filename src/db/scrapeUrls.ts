import { type Insertable, sql, type Updateable } from 'kysely'
import type { CalendarDate, SitePlatform } from '../domain.ts'
import type { Database } from './database.ts'
import { contains, inPlaces, oneOf, type Place } from './filters.ts'
import { columnKey, type Page, type PageArgs, plainOrder, readPage } from './pages.ts'
import type { ScrapeUrlRow, Tables } from './tables.ts'
import { isStillReferenced, isViolationOf } from './violations.ts'

export interface ScrapeUrlFilter {
  places?: readonly Place[] | null | undefined
  platform?: readonly SitePlatform[] | null | undefined
  active?: boolean | null | undefined
  /** Contained in the URL, without case. */
  search?: string | null | undefined
}

/** By county, oldest first. */
const scrapeUrlOrder = plainOrder<ScrapeUrlRow>('COUNTY', 'asc', [
  columnKey('scrapeUrls.countyFips', 'text', (row) => row.countyFips),
  columnKey('scrapeUrls.createdAt', 'instant', (row) => row.createdAt.toISOString()),
  columnKey('scrapeUrls.id', 'uuid', (row) => row.id),
])

export async function scrapeUrlsById(db: Database, ids: readonly string[]): Promise<ScrapeUrlRow[]> {
  return await db
    .selectFrom('scrapeUrls')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

/** The scrape URLs of the counties, oldest first. */
export async function scrapeUrlsOfCounties(db: Database, fips: readonly string[]): Promise<ScrapeUrlRow[]> {
  return await db
    .selectFrom('scrapeUrls')
    .selectAll()
    .where('countyFips', 'in', [...fips])
    .orderBy('createdAt')
    .orderBy('id')
    .execute()
}

/** A page of scrape URLs, by county and age. */
export async function scrapeUrlsPage(
  db: Database,
  filter: ScrapeUrlFilter,
  args: PageArgs,
): Promise<Page<ScrapeUrlRow>> {
  let rows = db.selectFrom('scrapeUrls').selectAll('scrapeUrls')
  const conditions = [
    ...inPlaces(filter.places, { fips: 'scrapeUrls.countyFips' }),
    ...oneOf('scrapeUrls.platform', filter.platform),
    ...contains('scrapeUrls.url', filter.search),
  ]
  for (const condition of conditions) rows = rows.where(condition)
  if (filter.active != null) rows = rows.where('scrapeUrls.active', '=', filter.active)
  return await readPage(db, rows, scrapeUrlOrder, args)
}

/** The sites' days from a date on that need no further reading. */
export async function finalDaysOfSites(
  db: Database,
  ids: readonly string[],
  from: CalendarDate,
): Promise<Map<string, Set<CalendarDate>>> {
  const rows = await db
    .selectFrom('scrapeDays')
    .select(['scrapeUrlId', 'date'])
    .where('scrapeUrlId', 'in', [...ids])
    .where('final', '=', true)
    .where('date', '>=', from)
    .execute()
  const days = new Map<string, Set<CalendarDate>>(ids.map((id) => [id, new Set()]))
  for (const { scrapeUrlId, date } of rows) if (date !== null) days.get(scrapeUrlId)?.add(date)
  return days
}

/** The scrape URL of a site, if it is saved already. */
export async function scrapeUrlOfSite(
  db: Database,
  platform: SitePlatform,
  siteKey: string,
): Promise<ScrapeUrlRow | null> {
  const row = await db
    .selectFrom('scrapeUrls')
    .selectAll()
    .where('platform', '=', platform)
    .where('siteKey', '=', siteKey)
    .executeTakeFirst()
  return row ?? null
}

/** Saves a new scrape URL; null when its site is saved already. */
export async function insertScrapeUrl(
  db: Database,
  values: Insertable<Tables['scrapeUrls']>,
): Promise<ScrapeUrlRow | null> {
  const row = await db
    .insertInto('scrapeUrls')
    .values(values)
    .onConflict((conflict) => conflict.constraint('scrape_urls_site').doNothing())
    .returningAll()
    .executeTakeFirst()
  return row ?? null
}

/**
 * Changes a scrape URL; null when there is none, 'taken' when the site it would have belongs to another.
 */
export async function updateScrapeUrl(
  db: Database,
  id: string,
  change: Updateable<Tables['scrapeUrls']>,
): Promise<ScrapeUrlRow | 'taken' | null> {
  try {
    const row = await db
      .updateTable('scrapeUrls')
      .set({ ...change, updatedAt: sql<Date>`now()` })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirst()
    return row ?? null
  } catch (error) {
    if (isViolationOf(error, 'scrape_urls_site')) return 'taken'
    throw error
  }
}

/** Deletes a scrape URL with its schedules; null when there is none, 'used' when anything that is kept was read there. */
export async function deleteScrapeUrl(db: Database, id: string): Promise<'deleted' | 'used' | null> {
  try {
    const deleted = await db.deleteFrom('scrapeUrls').where('id', '=', id).returning('id').executeTakeFirst()
    return deleted ? 'deleted' : null
  } catch (error) {
    if (isStillReferenced(error)) return 'used'
    throw error
  }
}
