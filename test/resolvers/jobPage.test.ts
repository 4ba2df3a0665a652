import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'
import { insertSite } from '../support/rows.ts'

let api: TestApi

beforeAll(async () => {
  api = await startTestApi()
  const { db } = api
  const counties = ['Nassau', 'Saint Johns', 'Duval'].map((name, i) => ({
    fips: ['12089', '12109', '12031'][i] as string,
    stateCode: 'FL',
    name,
    timezone: 'America/New_York',
  }))
  for (const county of [...counties, ...counties]) await insertSite(db, { county })
  await sql`insert into jobs (name, county_fips, scrape_url_id, start_date, end_date, dates_total, timeout_seconds,
      created_at)
    select 'job ' || n, u.county_fips, u.id, '2026-03-16', '2026-03-18', 3, 60, timestamptz '2026-03-01' + n * interval '1 s'
    from generate_series(1, 200) n join (
      select *, row_number() over (order by id) as place, count(*) over () as sites from scrape_urls
    ) u on place = n % sites + 1`.execute(db)
  await sql`insert into scrape_days (job_id, scrape_url_id, date)
    select id, scrape_url_id, start_date + n from jobs, generate_series(0, 2) n`.execute(db)
  await sql`insert into job_errors (job_id, category, code, message, retryable)
    select id, category, 'TIMEOUT', 'slow', true
    from jobs, unnest(array['NETWORK', 'PARSING', 'NETWORK']) category`.execute(db)
  await sql`insert into job_batches default values`.execute(db)
  await sql`insert into job_batches default values`.execute(db)
  await sql`insert into job_batch_members (batch_id, job_id) select b.id, j.id from job_batches b, jobs j`.execute(db)
  // Whoever comes first makes the built-in user.
  await api.ask('{ viewer { name } }')
})
afterAll(() => api.stop())

test('a page of 200 jobs with everything about them costs as many statements as a page of one', async () => {
  const query = `query($first: Int) { jobs(first: $first) { nodes { id name
    county { name state { code } } scrapeUrl { url platform } lastError { code category }
    errorSummary { category count } days { date outcome } batches { id total pending done } } } }`
  const page = async (first: number) => {
    const statements = vi.spyOn(pg.Client.prototype, 'query')
    const { jobs } = await api.ask(query, { first })
    const texts = statements.mock.calls.map(([sent]) =>
      typeof sent === 'string' ? sent : (sent as { text: string }).text,
    )
    statements.mockRestore()
    // What runs besides: the queue's own upkeep.
    return { jobs: jobs.nodes, statements: texts.filter((text) => !text.includes('pgboss')).length }
  }
  const full = await page(200)
  const one = await page(1)
  expect(full.jobs).toHaveLength(200)
  for (const job of full.jobs) {
    expect(job).toMatchObject({
      county: { state: { code: 'FL' } },
      scrapeUrl: { platform: 'REALAUCTION' },
      lastError: { code: 'TIMEOUT' },
      errorSummary: [
        { category: 'NETWORK', count: 2 },
        { category: 'PARSING', count: 1 },
      ],
      days: ['2026-03-16', '2026-03-17', '2026-03-18'].map((date) => ({ date, outcome: 'PENDING' })),
      batches: [{ total: 200 }, { pending: 200 }],
    })
  }
  expect(full.statements).toBe(one.statements)
  // The key, its user, the page, and one for each kind of thing beside it.
  expect(full.statements).toBe(11)
})
