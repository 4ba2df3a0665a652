import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Database } from '../../src/db/database.ts'
import type { JobRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import type { AuctionType, CalendarDate, SitePlatform } from '../../src/domain.ts'

/** Florida's Duval County: what sites stand in unless a test says otherwise. */
export const duval = { fips: '12031', stateCode: 'FL', name: 'Duval', timezone: 'America/New_York' }

/** Saves a scrape URL, and its place where it is missing. */
export async function insertSite(
  db: Database,
  site: {
    county?: typeof duval
    platform?: SitePlatform
    siteKey?: string
    auctionType?: AuctionType
  } = {},
): Promise<ScrapeUrlRow> {
  const county = site.county ?? duval
  const siteKey = site.siteKey ?? `site-${randomUUID()}.example.com`
  await db
    .insertInto('states')
    .values({ code: county.stateCode, name: `State ${county.stateCode}`, fips: county.fips.slice(0, 2) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await db
    .insertInto('counties')
    .values(county)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return await db
    .insertInto('scrapeUrls')
    .values({
      countyFips: county.fips,
      url: `https://${siteKey}/`,
      platform: site.platform ?? 'REALAUCTION',
      siteKey,
      auctionType: site.auctionType ?? null,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** A PENDING job on a site, its days not reached. */
export async function insertJob(
  db: Database,
  site: Pick<ScrapeUrlRow, 'id' | 'countyFips'>,
  range: { startDate: CalendarDate; endDate?: CalendarDate },
): Promise<JobRow> {
  const startDate = range.startDate
  const endDate = range.endDate ?? startDate
  const job = await db
    .insertInto('jobs')
    .values({
      name: `FL Duval ${startDate}..${endDate}`,
      countyFips: site.countyFips,
      scrapeUrlId: site.id,
      startDate,
      endDate,
      timeoutSeconds: 60,
      datesTotal: sql<number>`${endDate}::date - ${startDate}::date + 1`,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  await sql`
    insert into scrape_days (job_id, scrape_url_id, date)
    select ${job.id}, ${site.id}, ${startDate}::date + i from generate_series(0, ${job.datesTotal - 1}::int) as i
  `.execute(db)
  return job
}

/** Starts the job's next attempt; returns the execution's id. */
export async function openExecution(db: Database, jobId: string): Promise<string> {
  const { attempt } = await db
    .updateTable('jobs')
    .set((eb) => ({ status: 'RUNNING', attempt: eb('attempt', '+', 1), startedAt: sql<Date>`now()` }))
    .where('id', '=', jobId)
    .returning('attempt')
    .executeTakeFirstOrThrow()
  const { id } = await db
    .insertInto('executions')
    .values({ jobId, attempt, workerNode: 'test' })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** Ends an execution as COMPLETED; its job stays as it is. */
export async function closeExecution(db: Database, executionId: string): Promise<void> {
  await db
    .updateTable('executions')
    .set({ status: 'COMPLETED', finishedAt: sql<Date>`now()`, durationMs: 1, stats: JSON.stringify({ ok: true }) })
    .where('id', '=', executionId)
    .execute()
}
