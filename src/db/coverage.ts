import { type Expression, type SqlBool, sql } from 'kysely'
import type { CalendarDate, DayOutcome } from '../domain.ts'
import type { Database } from './database.ts'
import { inPlaces, oneOf, type Place } from './filters.ts'
import { columnKey, type Page, type PageArgs, plainOrder, type Rows, readPage } from './pages.ts'

/** One date at one site. */
export interface SiteDay {
  date: CalendarDate
  scrapeUrlId: string
  countyFips: string
  siteCreatedAt: Date
}

export interface CoverageFilter {
  places?: readonly Place[] | null | undefined
  scrapeUrlIds?: readonly string[] | null | undefined
  /** Of the newest read; PENDING: there was none. */
  outcome?: readonly DayOutcome[] | null | undefined
  stale?: boolean | null | undefined
}

/** What the reads of one date at one site come to. */
export interface DayReads {
  latestId: string | null
  lastCompleteId: string | null
  stale: boolean
}

/** Both ends included. */
export interface DayRange {
  from: CalendarDate
  to: CalendarDate
}

const order = plainOrder<SiteDay>('DATE', 'asc', [
  { expression: sql`days.date`, type: 'date', of: (row) => row.date },
  columnKey('scrapeUrls.countyFips', 'text', (row) => row.countyFips),
  columnKey('scrapeUrls.createdAt', 'instant', (row) => row.siteCreatedAt.toISOString()),
  columnKey('scrapeUrls.id', 'uuid', (row) => row.scrapeUrlId),
])

/** A page of the dates of the range at the active sites: by date, then by county and age of the site. */
export async function coveragePage(
  db: Database,
  range: DayRange,
  filter: CoverageFilter,
  args: PageArgs,
): Promise<Page<SiteDay>> {
  const site = { date: sql`days.date`, url: sql.ref('scrapeUrls.id') }
  const conditions = [
    ...inPlaces(filter.places, { fips: 'scrapeUrls.countyFips' }),
    ...oneOf('scrapeUrls.id', filter.scrapeUrlIds),
    ...(filter.outcome == null
      ? []
      : [sql<SqlBool>`coalesce(${latestOf(site, 'outcome')}, 'PENDING') in (${sql.join(filter.outcome)})`]),
    ...(filter.stale == null ? [] : [sql<SqlBool>`${isStale(site)} = ${filter.stale}`]),
  ]
  return await readPage(db, siteDays(db, range, conditions), order, args)
}

/** All dates of the range at the active sites of the counties: by date, then by age of the site. */
export async function coverageOfCounties(db: Database, range: DayRange, fips: readonly string[]): Promise<SiteDay[]> {
  return await siteDays(db, range, [sql<SqlBool>`scrape_urls.county_fips = any(${fips}::text[])`])
    .orderBy(sql`days.date`)
    .orderBy('scrapeUrls.createdAt')
    .orderBy('scrapeUrls.id')
    .execute()
}

/** What was read of each day, in the order of the days. */
export async function readsOfDays(db: Database, days: readonly SiteDay[]): Promise<DayReads[]> {
  const day = { url: sql`days.url`, date: sql`days.date` }
  const urls = days.map((one) => one.scrapeUrlId)
  const dates = days.map((one) => one.date)
  const { rows } = await sql<DayReads>`
    select ${latestOf(day, 'id')} as latest_id, ${lastCompleteOf(day)} as last_complete_id, ${isStale(day)} as stale
    from unnest(${urls}::uuid[], ${dates}::date[]) with ordinality as days (url, date, place)
    order by days.place`.execute(db)
  return rows
}

/** How many prospects each day has that were seen at its site, in a listing that was not closed. */
export async function prospectsOfDays(db: Database, days: readonly SiteDay[]): Promise<number[]> {
  const { rows } = await sql<{ scrapeUrlId: string; date: CalendarDate; count: number }>`
    select l.scrape_url_id, p.auction_date as date, count(distinct p.id) as count
    from listings l join prospects p on p.id = l.prospect_id
    where l.scrape_url_id = any(${[...new Set(days.map((day) => day.scrapeUrlId))]}::uuid[]) and l.closed_at is null
      and p.auction_date = any(${[...new Set(days.map((day) => day.date))]}::date[])
    group by l.scrape_url_id, p.auction_date`.execute(db)
  const key = (row: { scrapeUrlId: string; date: CalendarDate }) => `${row.scrapeUrlId} ${row.date}`
  const counts = new Map(rows.map((row) => [key(row), row.count]))
  return days.map((day) => counts.get(key(day)) ?? 0)
}

function siteDays(db: Database, { from, to }: DayRange, conditions: readonly Expression<SqlBool>[]) {
  const dates = sql<{ date: CalendarDate }>`(
    select ${from}::date + n as date from generate_series(0, ${to}::date - ${from}::date) n)`
  let rows = db
    .selectFrom('scrapeUrls')
    .innerJoin(dates.as('days'), (join) => join.onTrue())
    .select([
      'days.date',
      'scrapeUrls.id as scrapeUrlId',
      'scrapeUrls.countyFips',
      'scrapeUrls.createdAt as siteCreatedAt',
    ])
    .where('scrapeUrls.active', '=', true)
  for (const condition of conditions) rows = rows.where(condition)
  return rows as unknown as Rows<SiteDay, 'scrapeUrls'>
}

interface Day {
  url: Expression<unknown>
  date: Expression<unknown>
}

const reads = ({ url, date }: Day) => sql`scrape_days s
  where s.scrape_url_id = ${url} and s.date = ${date} and s.finished_at is not null`

/** Of the newest read. A day that is GONE was COMPLETE before, if it ever was: that does not count as newer. */
const latestOf = (day: Day, column: 'id' | 'outcome') => sql`(
  select ${sql.ref(`s.${column}`)} from ${reads(day)} and not (s.outcome = 'GONE' and exists (
    select from scrape_days c
    where c.scrape_url_id = s.scrape_url_id and c.date = s.date and c.outcome = 'COMPLETE'
      and c.finished_at <= s.finished_at))
  order by s.finished_at desc, s.id desc limit 1)`

const lastCompleteOf = (day: Day) => sql`(
  select s.id from ${reads(day)} and s.outcome in ('COMPLETE', 'EMPTY')
  order by s.finished_at desc, s.id desc limit 1)`

const isStale = (day: Day) => sql`not exists (
  select from ${reads(day)} and (s.final
    or s.outcome in ('COMPLETE', 'EMPTY') and s.finished_at >= now() - interval '24 hours'))`
