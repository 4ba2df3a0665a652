import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectionSettings, type Database } from '../../src/db/database.ts'
import { claimDueSchedule, lastJobsOfSchedules, msUntilNextRun } from '../../src/db/schedules.ts'
import type { Tables } from '../../src/db/tables.ts'
import { claimDelivery } from '../../src/db/webhookDeliveries.ts'
import { deliveryPages, lastDeliveries } from '../../src/db/webhooks.ts'
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

beforeAll(async () => {
  // Enough that no plan is better off reading everything; little of it is due.
  await sql`insert into scrape_urls (county_fips, url, platform, site_key)
    select fips, 'https://x.example.com/', 'REALAUCTION', fips from counties`.execute(db)
  await sql`insert into schedules (scrape_url_id, cron, next_run_at)
    select id, '@daily', now() + random() * interval '1 day' from scrape_urls`.execute(db)
  await sql`insert into jobs (name, county_fips, scrape_url_id, start_date, end_date, dates_total, timeout_seconds,
      schedule_id)
    select 'job', u.county_fips, u.id, '2026-01-01', '2026-01-01', 1, 60, s.id
    from schedules s join scrape_urls u on u.id = s.scrape_url_id, generate_series(1, 5)`.execute(db)
  await sql`insert into webhooks (url, events) select 'https://x.example.com/', '{JOB_FAILED}'
    from generate_series(1, 50)`.execute(db)
  await sql`insert into webhook_deliveries (id, webhook_id, event, at, attempt, status, next_attempt_at)
    select gen_random_uuid(), w.id, 'JOB_FAILED', now() - n * interval '1 minute', 1, 204,
      case when n = 7 then now() + interval '1 hour' end
    from webhooks w, generate_series(1, 400) n`.execute(db)
  await sql`analyze`.execute(db)
})
afterAll(async () => {
  await db.destroy()
  await database.drop()
})

async function planOf(run: () => Promise<unknown>): Promise<string> {
  statements.length = 0
  await run()
  const asked = statements.filter((one) => /^\s*(with|select|update)/i.test(one.sql))
  const plans: string[] = []
  for (const one of asked) {
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`explain ${one.sql}`, [...one.parameters])
    plans.push(...rows.map((row) => row['QUERY PLAN']))
  }
  return plans.join('\n')
}

test.each([
  ['the schedule that is due', 'schedules_due', () => db.transaction().execute((trx) => claimDueSchedule(trx, [id]))],
  ['the next run', 'schedules_due', () => msUntilNextRun(db)],
  ['the last job of a schedule', 'jobs_schedule', () => lastJobsOfSchedules(db, [id])],
  [
    'the delivery that is due',
    'webhook_deliveries_due',
    () => claimDelivery(db, { leaseSeconds: 1, tries: 8, except: [id] }),
  ],
  ['a page of deliveries', 'webhook_deliveries_newest', () => deliveryPages(db, [id], { first: 50 })],
  ['the last delivery', 'webhook_deliveries_newest', () => lastDeliveries(db, [id])],
])('%s is found by the index %s', async (_what, index, run) => {
  const plan = await planOf(run)
  expect(plan).toContain(index)
  expect(plan).not.toMatch(/Seq Scan on (schedules|jobs|webhook_deliveries)/)
})
