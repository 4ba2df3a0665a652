import { sql } from 'kysely'
import type { AuctionType, CalendarDate, SitePlatform } from '../domain.ts'
import { jobChannel } from './changeJob.ts'
import type { Tx } from './database.ts'
import type { JobSite } from './jobs.ts'
import type { JobRow } from './tables.ts'

/** Which active sites: exactly these, those of these states, or with neither every one. */
export interface SiteSelection {
  scrapeUrlIds?: readonly string[] | null | undefined
  states?: readonly string[] | null | undefined
  auctionType?: readonly AuctionType[] | null | undefined
  platform?: readonly SitePlatform[] | null | undefined
}

/** The active sites of a selection, by county, oldest first; at most `limit`. */
export async function selectSites(trx: Tx, selection: SiteSelection, limit: number): Promise<JobSite[]> {
  const { scrapeUrlIds, states, auctionType, platform } = selection
  const any = (column: string, values: readonly string[] | null | undefined, type: string) =>
    values == null ? sql`` : sql`and ${sql.ref(column)} = any(${values}::${sql.raw(type)}[])`
  const { rows } = await sql<JobSite>`
    select u.id as scrape_url_id, u.url, u.platform, u.site_key, u.auction_type, u.transport, u.active, u.county_fips,
      c.name as county_name, c.state_code as state, coalesce(u.timezone, c.timezone) as timezone
    from scrape_urls u join counties c on c.fips = u.county_fips
    where u.active
      ${any('u.id', scrapeUrlIds, 'uuid')}
      ${any('c.state_code', states, 'text')}
      ${any('u.auction_type', auctionType, 'text')}
      ${any('u.platform', platform, 'text')}
    order by u.county_fips, u.created_at, u.id
    limit ${limit}`.execute(trx)
  return rows
}

/** Those of the ids that are no scrape URL's, in their order. */
export async function missingScrapeUrls(trx: Tx, ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select given.id from unnest(${ids}::uuid[]) with ordinality as given (id, n)
    where not exists (select from scrape_urls u where u.id = given.id)
    order by given.n`.execute(trx)
  return rows.map((row) => row.id)
}

/** Those of the codes that are no state's. */
export async function missingStates(trx: Tx, codes: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ code: string }>`
    select given.code from unnest(${codes}::text[]) as given (code)
    where not exists (select from states s where s.code = given.code)`.execute(trx)
  return new Set(rows.map((row) => row.code))
}

/** What differs between the jobs of one submission. */
export interface NewJob {
  scrapeUrlId: string
  countyFips: string
  name: string
  startDate: CalendarDate
  endDate: CalendarDate
  queueId: string | null
}

/**
 * Stores jobs with a PENDING report for each of their days, their first event and their wake-up on commit: four
 * statements, however many jobs. Returns them in no particular order.
 */
export async function insertJobs(
  trx: Tx,
  jobs: readonly NewJob[],
  common: Pick<JobRow, 'held' | 'priority' | 'timeoutSeconds' | 'maxAttempts' | 'createdBy'>,
): Promise<JobRow[]> {
  const { held, priority, timeoutSeconds, maxAttempts, createdBy } = common
  const { rows } = await sql<JobRow>`
    insert into jobs (scrape_url_id, county_fips, name, start_date, end_date, dates_total, queue_id,
      held, priority, timeout_seconds, max_attempts, created_by, updated_by)
    select r."scrapeUrlId", r."countyFips", r.name, r."startDate", r."endDate", r."endDate" - r."startDate" + 1,
      r."queueId", ${held}, ${priority}, ${timeoutSeconds}, ${maxAttempts}, ${createdBy}, ${createdBy}
    from jsonb_to_recordset(${JSON.stringify(jobs)}::jsonb) as r ("scrapeUrlId" uuid, "countyFips" text, name text,
      "startDate" date, "endDate" date, "queueId" uuid)
    returning *`.execute(trx)
  const ids = rows.map((row) => row.id)
  await sql`
    insert into scrape_days (job_id, scrape_url_id, date)
    select j.id, j.scrape_url_id, j.start_date + n
    from jobs j, generate_series(0, j.dates_total - 1) as n
    where j.id = any(${ids}::uuid[])`.execute(trx)
  await sql`
    insert into job_events (job_id, sequence, at, status, attempt, rows_processed, rows_success, rows_failed, dates_done)
    select id, sequence, updated_at, status, attempt, rows_processed, rows_success, rows_failed, dates_done
    from jobs where id = any(${ids}::uuid[])`.execute(trx)
  await notifyJobs(trx, ids)
  return rows
}

/** A released job with what the queue needs to know of its site. */
export type ReleasedJob = JobRow & { platform: SitePlatform; siteKey: string }

/** Locks the oldest held jobs until the transaction ends; at most `limit`. Whoever else releases takes the next. */
export async function lockHeldJobs(trx: Tx, limit: number): Promise<string[]> {
  const rows = await trx
    .selectFrom('jobs')
    .select('id')
    .where('held', '=', true)
    .orderBy('createdAt')
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .execute()
  return rows.map((row) => row.id)
}

/** Makes locked held jobs wait for a run, each under a fresh queue id; writes their log lines and tells every node. */
export async function releaseJobs(
  trx: Tx,
  ids: readonly string[],
  by: { userId: string | null; message: string },
): Promise<ReleasedJob[]> {
  const { rows } = await sql<ReleasedJob>`
    update jobs j set held = false, queue_id = gen_random_uuid(), next_attempt_at = null,
      sequence = j.sequence + 1, last_line = j.last_line + 1, updated_at = clock_timestamp(),
      updated_by = coalesce(${by.userId}, j.updated_by)
    from scrape_urls u
    where j.id = any(${ids}::uuid[]) and u.id = j.scrape_url_id
    returning j.*, u.platform, u.site_key`.execute(trx)
  await sql`
    insert into job_log_lines (job_id, line, at, level, message)
    select id, last_line, clock_timestamp(), 'INFO', ${by.message} from jobs where id = any(${ids}::uuid[])`.execute(
    trx,
  )
  await notifyJobs(trx, ids)
  return rows
}

export async function countHeldJobs(trx: Tx): Promise<number> {
  const row = await trx
    .selectFrom('jobs')
    .select((eb) => eb.fn.countAll<number>().as('jobs'))
    .where('held', '=', true)
    .executeTakeFirstOrThrow()
  return row.jobs
}

/** notifyJob for many. */
async function notifyJobs(trx: Tx, ids: readonly string[]): Promise<void> {
  await sql`
    select pg_notify(${jobChannel}, id || ':' || sequence || ':' || last_line)
    from jobs where id = any(${ids}::uuid[])`.execute(trx)
}
