import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { batchesById, batchesOfJobs } from '../../src/db/batches.ts'
import { jobsToCancel, jobsToRetry } from '../../src/db/bulkJobs.ts'
import { connectionSettings, type Database } from '../../src/db/database.ts'
import { defaultJobOrder, jobPages } from '../../src/db/jobPages.ts'
import { lockHeldJobs } from '../../src/db/manyJobs.ts'
import type { Tables } from '../../src/db/tables.ts'
import { createTestDatabase } from '../support/database.ts'

const database = await createTestDatabase()
const statements: { sql: string; parameters: readonly unknown[] }[] = []
const pool = new pg.Pool({ ...connectionSettings(database.url, 'plans'), max: 1 })
// The database may be dropped before it has noticed that the pool is closed.
pool.on('error', (error) => {
  if (!error.message.startsWith('terminating connection')) throw error
})
const db: Database = new Kysely<Tables>({
  dialect: new PostgresDialect({ pool }),
  plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  log: (event) => {
    statements.push(event.query)
  },
})

const one = { batchId: '', jobId: '' }

beforeAll(async () => {
  // Enough that no plan is better off reading everything.
  await sql`insert into scrape_urls (county_fips, url, platform, site_key)
    values ('12086', 'https://x.example.com/', 'REALAUCTION', 'x.example.com')`.execute(db)
  await sql`insert into jobs (name, county_fips, scrape_url_id, start_date, end_date, dates_total, timeout_seconds,
      created_at, status, held, finished_at)
    select 'job', u.county_fips, u.id, '2026-01-01', '2026-01-01', 1, 60, timestamptz '2026-01-01' + n * interval '1 s',
      case when n % 100 = 0 then 'PENDING' when n % 101 = 0 then 'FAILED' else 'COMPLETED' end, n % 200 = 0,
      case when n % 100 > 0 then timestamptz '2026-02-01' end
    from scrape_urls u, generate_series(1, 20000) n`.execute(db)
  await sql`insert into job_errors (job_id, category, code, message, retryable)
    select id, 'NETWORK', 'TIMEOUT', 'slow', true from jobs where status = 'FAILED'`.execute(db)
  await sql`update jobs j set ended_by_error_id = e.id from job_errors e where e.job_id = j.id`.execute(db)
  await sql`insert into job_batches select from generate_series(1, 1000)`.execute(db)
  await sql`insert into job_batch_members (batch_id, job_id)
    select b.id, j.id from (select id, row_number() over () as n from job_batches) b
      join (select id, row_number() over () as n from jobs) j on j.n % 1000 = b.n % 1000`.execute(db)
  await sql`vacuum analyze`.execute(db)
  Object.assign(one, await db.selectFrom('jobBatchMembers').selectAll().limit(1).executeTakeFirstOrThrow())
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

const lists: [string, () => Promise<unknown>, string[]][] = [
  ['the counts of a batch', async () => await batchesById(db, [one.batchId]), ['job_batch_members_pkey', 'jobs_pkey']],
  ['the batches of a job', async () => await batchesOfJobs(db, [one.jobId]), ['job_batch_members_job']],
  [
    'the jobs of a batch',
    async () => await jobPages(db, [{ batchId: one.batchId }], defaultJobOrder, { first: 20 }),
    ['job_batch_members_pkey', 'jobs_pkey'],
  ],
  [
    'held jobs, oldest first',
    async () => await db.transaction().execute(async (trx) => await lockHeldJobs(trx, 10)),
    ['jobs_held'],
  ],
  ['jobs to cancel', async () => await jobsToCancel(db, { countyFips: '12086' }, 10), ['jobs_status']],
  ['jobs to retry', async () => await jobsToRetry(db, {}, 10), ['jobs_status']],
]

test.each(lists)('%s are read by their indexes, in one statement', async (_what, list, indexes) => {
  statements.length = 0
  await list()
  const reads = statements.filter((statement) => /^\s*select/.test(statement.sql))
  expect(reads).toHaveLength(1)
  const [read] = reads
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${read?.sql}`, [...(read?.parameters ?? [])])
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  for (const index of indexes) expect(plan).toContain(index)
  expect(plan).not.toContain('Seq Scan on jobs')
  expect(plan).not.toContain('Seq Scan on job_batch_members')
})
