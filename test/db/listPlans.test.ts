import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectionSettings, type Database } from '../../src/db/database.ts'
import { errorPages } from '../../src/db/errorPages.ts'
import { executionPages, linesOfExecutions } from '../../src/db/executionPages.ts'
import { type JobOrderField, jobPages } from '../../src/db/jobPages.ts'
import { encodeCursor } from '../../src/db/pages.ts'
import { countiesPage } from '../../src/db/places.ts'
import { changePages } from '../../src/db/prospectDetails.ts'
import type { ProspectOrderField } from '../../src/db/prospectOrder.ts'
import { prospectPages } from '../../src/db/prospectPages.ts'
import { scrapeUrlsPage } from '../../src/db/scrapeUrls.ts'
import type { Tables } from '../../src/db/tables.ts'
import { createTestDatabase } from '../support/database.ts'

const database = await createTestDatabase()
const statements: { sql: string; parameters: readonly unknown[] }[] = []
const pool = new pg.Pool({ ...connectionSettings(database.url, 'plans'), max: 1 })
const db: Database = new Kysely<Tables>({
  dialect: new PostgresDialect({ pool }),
  plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  log: (event) => {
    statements.push(event.query)
  },
})
const id = '00000000-0000-4000-8000-000000000000'
const at = '2026-06-01T00:00:00.000Z'

beforeAll(async () => {
  // Enough that no plan is better off reading everything.
  await sql`insert into scrape_urls (county_fips, url, platform, site_key, created_at)
    select fips, 'https://x.example.com/', 'REALAUCTION', fips, timestamptz '2026-01-01' from counties`.execute(db)
  await sql`insert into jobs (name, county_fips, scrape_url_id, start_date, end_date, dates_total, timeout_seconds,
      created_at, updated_at, started_at, priority, status, finished_at)
    select 'job', u.county_fips, u.id, '2026-01-01', '2026-01-01', 1, 60, t, t, t, n % 100, 'COMPLETED', t
    from (select *, row_number() over () as n from scrape_urls) u,
      lateral (select timestamptz '2026-01-01' + n * interval '1 hour' as t) instants`.execute(db)
  await sql`insert into executions (job_id, attempt, worker_node, started_at)
    select id, 1, 'test', created_at from jobs`.execute(db)
  await sql`insert into job_errors (job_id, execution_id, category, code, message, retryable, occurred_at)
    select job_id, id, 'NETWORK', 'TIMEOUT', 'slow', true, started_at from executions`.execute(db)
  await sql`insert into job_log_lines (job_id, line, execution_id, level, message)
    select job_id, n, id, 'INFO', 'x' from executions, generate_series(1, 3) n`.execute(db)
  await sql`insert into prospects (county_fips, county_state, lot, auction_date, first_seen_at, updated_at,
      auction_status, auction_type, source_url, raw_data, opening_bid)
    select county_fips, 'FL', n, date '2026-01-01' + n * 7, created_at, created_at, 'SCHEDULED', 'OTHER', '', '{}',
      hashtext(id::text || n) % 100000
    from jobs, lateral generate_series(1, case county_fips when '36001' then 2000 else 5 end) n`.execute(db)
  await sql`insert into prospect_changes (position, prospect_id, county_fips, scrape_url_id, kind, auction_type, fields)
    select row_number() over (), p.id, p.county_fips, u.id, 'CREATED', 'OTHER', '[]'
    from prospects p join scrape_urls u using (county_fips)`.execute(db)
  await sql`analyze`.execute(db)
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

/** The statements a list sends, with the plan of each. */
async function plansOf(list: () => Promise<unknown>): Promise<{ sql: string; plan: string }[]> {
  statements.length = 0
  await list()
  const sent = [...statements]
  return await Promise.all(
    sent.map(async (statement) => {
      const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${statement.sql}`, [...statement.parameters])
      return { sql: statement.sql, plan: rows.map((row) => row['QUERY PLAN']).join('\n') }
    }),
  )
}

const jobs = (field: JobOrderField, key: string | number) => async () =>
  await jobPages(
    db,
    [{}],
    { field, direction: 'DESC' },
    { first: 10, after: encodeCursor(`${field}_DESC`, 0, [key, id]) },
  )

const prospects = (field: ProspectOrderField, filter: object, keys: string[]) => async () =>
  await prospectPages(
    db,
    [[filter]],
    { field, direction: 'ASC' },
    { first: 10, after: encodeCursor(`${field}_ASC`, 0, keys) },
  )

const lists: [string, string, () => Promise<unknown>][] = [
  ['jobs', 'jobs_created', jobs('CREATED_AT', at)],
  ['jobs by their last change', 'jobs_updated', jobs('UPDATED_AT', at)],
  ['jobs by their start', 'jobs_started', jobs('STARTED_AT', at)],
  ['jobs by priority', 'jobs_priority', jobs('PRIORITY', 50)],
  [
    'executions',
    'executions_started',
    async () => await executionPages(db, [{}], { first: 10, after: encodeCursor('NEWEST', 0, [at, id]) }),
  ],
  [
    'errors',
    'job_errors_occurred',
    async () => await errorPages(db, [[{}]], { first: 10, after: encodeCursor('NEWEST', 0, [at, id]) }),
  ],
  [
    'scrape URLs',
    'scrape_urls_county',
    async () => await scrapeUrlsPage(db, {}, { first: 10, after: encodeCursor('COUNTY', 0, ['36001', at, id]) }),
  ],
  [
    'counties',
    'counties_state_name',
    async () => await countiesPage(db, {}, { first: 10, after: encodeCursor('STATE_NAME', 0, ['NY', 'kings']) }),
  ],
  ['prospects', 'prospects_date', prospects('AUCTION_DATE', {}, ['2026-01-15', id])],
  [
    'prospects of a county',
    'prospects_county_date',
    prospects('AUCTION_DATE', { places: [{ fips: '36001' }] }, ['2026-01-15', id]),
  ],
  ['prospects by when they were seen', 'prospects_first_seen', prospects('FIRST_SEEN_AT', {}, [at, '2026-01-15', id])],
  ['prospects by their last change', 'prospects_updated', prospects('UPDATED_AT', {}, [at, '2026-01-15', id])],
  ['prospects by opening bid', 'prospects_opening_bid', prospects('OPENING_BID', {}, ['100.00', '2026-01-15', id])],
  ['prospects by county', 'prospects_county_sort', prospects('COUNTY', {}, ['NY kings', '2026-01-15', id])],
  [
    'changes of a prospect',
    'prospect_changes_prospect',
    async () => await changePages(db, [id], { first: 10, after: encodeCursor('POSITION', 0, [900_000]) }),
  ],
  ['lines of an execution', 'job_log_lines_execution', async () => await linesOfExecutions(db, [id], 5, 10)],
]

describe('a page deep in a list starts at its cursor, by an index', () => {
  test.each(lists)('%s: %s', async (_name, index, list) => {
    const [first] = await plansOf(list)
    expect(first?.plan).toMatch(new RegExp(`Index (Only )?Scan (Backward )?using ${index}\\b`))
    expect(first?.plan).toContain('Index Cond')
    // No sort of everything: at most one of rows that tie in what the index orders.
    expect(first?.plan).not.toMatch(/(^|[^l]) Sort {2}/)
    expect(first?.sql.replaceAll('"', '')).toMatchSnapshot()
  })
})

test('the pages of many parents are one statement, each part by its index', async () => {
  const county = await db.selectFrom('jobs').select(['id', 'countyFips']).limit(3).execute()
  const filters = county.map((job) => ({ countyFips: job.countyFips }))
  const plans = await plansOf(async () => {
    await jobPages(db, filters, { field: 'CREATED_AT', direction: 'DESC' }, { first: 5 })
    await executionPages(
      db,
      county.map((job) => ({ jobId: job.id })),
      { first: 5 },
    )
    await errorPages(
      db,
      county.map((job) => [{ jobId: job.id }]),
      { first: 5 },
    )
  })
  expect(plans).toHaveLength(3)
  for (const [i, index] of ['jobs_county', 'executions_job', 'job_errors_job'].entries()) {
    expect(plans[i]?.plan.match(new RegExp(`using ${index}\\b`, 'g'))).toHaveLength(3)
  }
})
