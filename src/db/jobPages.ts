import { type Expression, type SqlBool, sql } from 'kysely'
import type { CalendarDate, ErrorCategory, JobStatus, SitePlatform } from '../domain.ts'
import type { Database } from './database.ts'
import { contains, type DateFilter, type InstantFilter, inPlaces, instantIn, oneOf, type Place } from './filters.ts'
import { columnKey, type Order, type Page, type PageArgs, plainOrder, readPages } from './pages.ts'
import type { JobErrorRow, JobRow, ScrapeDayRow } from './tables.ts'

export interface JobFilter {
  ids?: readonly string[] | null | undefined
  status?: readonly JobStatus[] | null | undefined
  places?: readonly Place[] | null | undefined
  countyFips?: string | undefined
  scrapeUrlIds?: readonly string[] | null | undefined
  platform?: readonly SitePlatform[] | null | undefined
  /** Jobs that this schedule made. */
  scheduleId?: string | null | undefined
  /** Jobs whose range has a day in it; every job has dates. */
  dates?: DateFilter | null | undefined
  /** Jobs with an error of one of these codes. */
  errorCode?: readonly string[] | null | undefined
  /** Contained in the name, without case. */
  search?: string | null | undefined
  held?: boolean | null | undefined
  createdBy?: string | null | undefined
  batchId?: string | null | undefined
  createdAt?: InstantFilter | null | undefined
  updatedAt?: InstantFilter | null | undefined
}

export type JobOrderField = 'CREATED_AT' | 'UPDATED_AT' | 'STARTED_AT' | 'PRIORITY'
export interface JobOrder {
  field: JobOrderField
  direction: 'ASC' | 'DESC'
}

/** Newest first. */
export const defaultJobOrder: JobOrder = { field: 'CREATED_AT', direction: 'DESC' }

/**
 * For each filter a page of jobs; all pages have the same order and arguments. The filters differ in their parents
 * (a county, a site), so that a list of parents costs one statement.
 */
export async function jobPages(
  db: Database,
  filters: readonly JobFilter[],
  order: JobOrder,
  args: PageArgs,
): Promise<Page<JobRow>[]> {
  return await readPages(
    db,
    filters.map((filter) => jobsMatching(db, filter)),
    jobOrder(order),
    args,
  )
}

export async function jobsById(db: Database, ids: readonly string[]): Promise<JobRow[]> {
  return await db
    .selectFrom('jobs')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

/** The newest report of every date of the jobs, by date; a report on undated rows comes last. */
export async function daysOfJobs(db: Database, jobIds: readonly string[]): Promise<ScrapeDayRow[]> {
  return await db
    .selectFrom('scrapeDays')
    .selectAll()
    .where('jobId', 'in', [...jobIds])
    .where('latest', '=', true)
    .orderBy('jobId')
    .orderBy('date', (order) => order.asc().nullsLast())
    .execute()
}

export async function daysById(db: Database, ids: readonly string[]): Promise<ScrapeDayRow[]> {
  return await db
    .selectFrom('scrapeDays')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

/** Counts of the jobs' errors by category, with the time of the last. */
export async function errorCountsOfJobs(
  db: Database,
  jobIds: readonly string[],
): Promise<{ jobId: string; category: ErrorCategory; count: number; lastAt: Date }[]> {
  return await db
    .selectFrom('jobErrors')
    .select((eb) => [
      'jobId',
      'category',
      eb.fn.countAll<number>().as('count'),
      sql<Date>`max(${eb.ref('occurredAt')})`.as('lastAt'),
    ])
    .where('jobId', 'in', [...jobIds])
    .groupBy(['jobId', 'category'])
    .orderBy('category')
    .execute()
}

/** The newest error of each job that has one. */
export async function lastErrorsOfJobs(db: Database, jobIds: readonly string[]): Promise<JobErrorRow[]> {
  return await db
    .selectFrom('jobErrors')
    .selectAll()
    .distinctOn('jobId')
    .where('jobId', 'in', [...jobIds])
    .orderBy('jobId')
    .orderBy('occurredAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

function jobsMatching(db: Database, filter: JobFilter) {
  let rows = db.selectFrom('jobs').selectAll('jobs')
  for (const condition of jobConditions(filter)) rows = rows.where(condition)
  return rows
}

/** What a filter asks of rows of `jobs`; nothing where every job matches it. */
export function jobConditions(filter: JobFilter): Expression<SqlBool>[] {
  const equal = (column: string, value: unknown) => (value == null ? [] : oneOf(column, [value]))
  return [
    ...oneOf('jobs.id', filter.ids),
    ...oneOf('jobs.status', filter.status),
    ...inPlaces(filter.places, { fips: 'jobs.countyFips' }),
    ...oneOf('jobs.scrapeUrlId', filter.scrapeUrlIds),
    ...onPlatforms(filter.platform),
    ...overlapping(filter.dates),
    ...withErrors(filter.errorCode),
    ...contains('jobs.name', filter.search),
    ...instantIn('jobs.createdAt', filter.createdAt),
    ...instantIn('jobs.updatedAt', filter.updatedAt),
    ...equal('jobs.countyFips', filter.countyFips),
    ...equal('jobs.held', filter.held),
    ...equal('jobs.createdBy', filter.createdBy),
    ...equal('jobs.scheduleId', filter.scheduleId),
    ...inBatch(filter.batchId),
  ]
}

function inBatch(batchId: string | null | undefined) {
  if (batchId == null) return []
  return [
    sql<SqlBool>`${sql.ref('jobs.id')} in (select m.job_id from job_batch_members m where m.batch_id = ${batchId})`,
  ]
}

function onPlatforms(platforms: readonly SitePlatform[] | null | undefined) {
  return oneOf('u.platform', platforms).map(
    (condition) => sql<SqlBool>`${sql.ref('jobs.scrapeUrlId')} in (select u.id from scrape_urls u where ${condition})`,
  )
}

function withErrors(codes: readonly string[] | null | undefined) {
  return oneOf('e.code', codes).map(
    (condition) =>
      sql<SqlBool>`exists (select from job_errors e where e.job_id = ${sql.ref('jobs.id')} and ${condition})`,
  )
}

function overlapping(dates: DateFilter | null | undefined) {
  const conditions = []
  const day = (date: CalendarDate) => sql`${date}::date`
  if (dates?.from) conditions.push(sql<SqlBool>`${sql.ref('jobs.endDate')} >= ${day(dates.from)}`)
  if (dates?.to) conditions.push(sql<SqlBool>`${sql.ref('jobs.startDate')} <= ${day(dates.to)}`)
  if (dates?.undated === true) conditions.push(sql<SqlBool>`false`)
  return conditions
}

function jobOrder(order: JobOrder): Order<JobRow> {
  const name = `${order.field}_${order.direction}`
  const direction = order.direction === 'ASC' ? 'asc' : 'desc'
  const id = columnKey<JobRow>('jobs.id', 'uuid', (row) => row.id)
  switch (order.field) {
    case 'CREATED_AT':
      return plainOrder(name, direction, [
        columnKey('jobs.createdAt', 'instant', (row) => row.createdAt.toISOString()),
        id,
      ])
    case 'UPDATED_AT':
      return plainOrder(name, direction, [
        columnKey('jobs.updatedAt', 'instant', (row) => row.updatedAt.toISOString()),
        id,
      ])
    case 'PRIORITY':
      return plainOrder(name, direction, [columnKey('jobs.priority', 'integer', (row) => row.priority), id])
    default: {
      const started = sql.ref('jobs.startedAt')
      const key = columnKey<JobRow>('jobs.startedAt', 'instant', (row) => (row.startedAt as Date).toISOString())
      return {
        name,
        direction,
        segments: [
          { where: sql<SqlBool>`${started} is not null`, keys: [key, id] },
          { where: sql<SqlBool>`${started} is null`, keys: [id] },
        ],
        segmentOf: (row) => (row.startedAt === null ? 1 : 0),
      }
    }
  }
}
