import { type Insertable, sql } from 'kysely'
import type { AuctionType, CalendarDate, JobStatus, SitePlatform, Transport } from '../domain.ts'
import { doneOutcomes } from '../domain.ts'
import { eventOfJob, writeJob } from './changeJob.ts'
import type { Database, Tx } from './database.ts'
import type { JobEventRow, JobRow, Tables } from './tables.ts'

/** A scrape URL with what a job needs to know of its place. */
export interface JobSite {
  scrapeUrlId: string
  url: string
  platform: SitePlatform
  siteKey: string
  auctionType: AuctionType | null
  transport: Transport
  active: boolean
  countyFips: string
  countyName: string
  state: string
  /** The site's own zone, or the county's. */
  timezone: string
}

export async function findJob(db: Database | Tx, id: string): Promise<JobRow | null> {
  return (await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
}

/** A job that stays for as long as the transaction goes on. */
export async function findJobToClone(trx: Tx, id: string): Promise<JobRow | null> {
  const row = await trx.selectFrom('jobs').selectAll().where('id', '=', id).forKeyShare().executeTakeFirst()
  return row ?? null
}

/** The job that an execution runs, with the options of its scrape URL. */
export async function findJobOf(
  db: Database | Tx,
  executionId: string,
): Promise<{ job: JobRow; options: Record<string, unknown> } | null> {
  const row = await db
    .selectFrom('executions as e')
    .innerJoin('jobs as j', 'j.id', 'e.jobId')
    .innerJoin('scrapeUrls as u', 'u.id', 'j.scrapeUrlId')
    .selectAll('j')
    .select('u.options')
    .where('e.id', '=', executionId)
    .executeTakeFirst()
  if (!row) return null
  const { options, ...job } = row
  return { job, options }
}

/** The scrape URL with its county; null when there is none. */
export async function findJobSite(db: Database | Tx, scrapeUrlId: string): Promise<JobSite | null> {
  const row = await db
    .selectFrom('scrapeUrls as u')
    .innerJoin('counties as c', 'c.fips', 'u.countyFips')
    .select((eb) => [
      'u.id as scrapeUrlId',
      'u.url',
      'u.platform',
      'u.siteKey',
      'u.auctionType',
      'u.transport',
      'u.active',
      'u.countyFips',
      'c.name as countyName',
      'c.stateCode as state',
      eb.fn.coalesce('u.timezone', 'c.timezone').as('timezone'),
    ])
    .where('u.id', '=', scrapeUrlId)
    .executeTakeFirst()
  return row ?? null
}

/** The days of a site from `from` on that a read has found final. */
export async function finalDays(
  db: Database | Tx,
  scrapeUrlId: string,
  from: CalendarDate,
): Promise<Set<CalendarDate>> {
  const rows = await db
    .selectFrom('scrapeDays')
    .select('date')
    .distinct()
    .where('scrapeUrlId', '=', scrapeUrlId)
    .where('final', '=', true)
    .where('date', '>=', from)
    .execute()
  return new Set(rows.flatMap((row) => (row.date === null ? [] : [row.date])))
}

/** Keeps everybody else who submits with this key of this user waiting until the transaction ends. */
export async function lockIdempotencyKey(trx: Tx, userId: string | null, key: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`${userId ?? ''}:${key}`}, 0))`.execute(trx)
}

/**
 * The job made with this key in the last 7 days. An older one lets go of the key, so that it may be used again.
 */
export async function findByIdempotencyKey(trx: Tx, userId: string | null, key: string): Promise<JobRow | null> {
  await trx
    .updateTable('jobs')
    .set({ idempotencyKey: null })
    .where('createdBy', 'is not distinct from', userId)
    .where('idempotencyKey', '=', key)
    .where('createdAt', '<', sql<Date>`now() - interval '7 days'`)
    .execute()
  const row = await trx
    .selectFrom('jobs')
    .selectAll()
    .where('createdBy', 'is not distinct from', userId)
    .where('idempotencyKey', '=', key)
    .executeTakeFirst()
  return row ?? null
}

/** Stores a job with a PENDING report for each of its days and its first event, and tells every node on commit. */
export async function insertJob(
  trx: Tx,
  job: Omit<Insertable<Tables['jobs']>, 'datesTotal'>,
  dates: readonly CalendarDate[],
): Promise<JobRow> {
  const insert = trx
    .insertInto('jobs')
    .values({ ...job, datesTotal: dates.length })
    .returningAll()
  const days = sql`
    insert into scrape_days (job_id, scrape_url_id, date)
    select written.id, written.scrape_url_id, day from written, unnest(${dates}::date[]) as day`
  return await writeJob(trx, insert, [days, eventOfJob(null)])
}

/** Sets every day of a job back: what was read stays as history, and each day waits anew. */
export async function resetDays(trx: Tx, job: JobRow): Promise<void> {
  const own = trx.selectFrom('scrapeDays').where('jobId', '=', job.id).where('latest', '=', true)
  const rows = await own.select('date').where('date', 'is not', null).$narrowType<{ date: string }>().execute()
  await trx.deleteFrom('scrapeDays').where('jobId', '=', job.id).where('outcome', '=', 'PENDING').execute()
  await trx
    .updateTable('scrapeDays')
    .set({ latest: false })
    .where('jobId', '=', job.id)
    .where('latest', '=', true)
    .execute()
  await insertPendingDays(
    trx,
    job,
    rows.map((row) => row.date),
  )
}

async function insertPendingDays(trx: Tx, job: JobRow, dates: readonly CalendarDate[]): Promise<void> {
  await trx
    .insertInto('scrapeDays')
    .values(dates.map((date) => ({ jobId: job.id, scrapeUrlId: job.scrapeUrlId, date })))
    .execute()
}

/** The days of a job whose newest report is not done, oldest first. */
export async function openDates(db: Database | Tx, jobId: string): Promise<CalendarDate[]> {
  const rows = await db
    .selectFrom('scrapeDays')
    .select('date')
    .where('jobId', '=', jobId)
    .where('latest', '=', true)
    .where('date', 'is not', null)
    .where('outcome', 'not in', doneOutcomes)
    .orderBy('date')
    .execute()
  return rows.flatMap((row) => (row.date === null ? [] : [row.date]))
}

/** The changes of a job's status after a sequence, in order; at most `limit`. */
export async function readJobEvents(
  db: Database | Tx,
  jobId: string,
  afterSequence: number,
  limit: number,
): Promise<JobEventRow[]> {
  return await db
    .selectFrom('jobEvents')
    .selectAll()
    .where('jobId', '=', jobId)
    .where('sequence', '>', afterSequence)
    .orderBy('sequence')
    .limit(limit)
    .execute()
}

/** A job with the message of the event that gave it its present status, read in one statement. */
export async function readJobState(
  db: Database,
  jobId: string,
): Promise<{ job: JobRow; errorMessage: string | null } | null> {
  const row = await db
    .selectFrom('jobs')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('jobEvents')
        .select('jobEvents.errorMessage')
        .whereRef('jobEvents.jobId', '=', 'jobs.id')
        .orderBy('jobEvents.sequence', 'desc')
        .limit(1)
        .as('eventMessage'),
    )
    .where('id', '=', jobId)
    .executeTakeFirst()
  if (!row) return null
  const { eventMessage, ...job } = row
  return { job, errorMessage: eventMessage }
}

/** Where each of these jobs stands; those that are gone are left out. */
export async function readStandings(
  db: Database,
  jobIds: readonly string[],
): Promise<{ id: string; sequence: number; lastLine: number; status: JobStatus }[]> {
  return await db
    .selectFrom('jobs')
    .select(['id', 'sequence', 'lastLine', 'status'])
    .where('id', '=', sql<string>`any(${sql.val(jobIds)})`)
    .execute()
}

/** The transaction's own time, for a column that is written. */
export const transactionNow = sql<Date>`now()`

/** The same, read: what every row of the transaction carries. */
export async function transactionTime(trx: Tx): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`select now()::timestamptz(3) as at`.execute(trx)
  const at = rows[0]?.at
  if (!at) throw new Error('the database told no time')
  return at
}
