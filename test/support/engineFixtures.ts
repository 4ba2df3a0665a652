import { randomUUID } from 'node:crypto'
import { readConfig } from '../../src/config.ts'
import type { Database } from '../../src/db/database.ts'
import type { ExecutionRow, JobErrorRow, JobRow, LogLineRow } from '../../src/db/tables.ts'
import { type Commands, createCommands } from '../../src/engine/commands.ts'
import type { Queue } from '../../src/engine/queue.ts'
import type { SubmitJobInput } from '../../src/engine/submitJob.ts'
import { createLogger } from '../../src/log.ts'

export const silent = createLogger('silent', 'test')

/** The settings with short retries. */
export const testConfig = (env: NodeJS.ProcessEnv = {}) => readConfig({ GAVEL_RETRY_DELAYS: '1', ...env })

/** A scrape URL of Miami-Dade, FL, on a site of its own unless told. */
export async function insertScrapeUrl(
  db: Database,
  options: { siteKey?: string; active?: boolean; url?: string } = {},
): Promise<string> {
  const siteKey = options.siteKey ?? `${randomUUID()}.example.test`
  const row = await db
    .insertInto('scrapeUrls')
    .values({
      countyFips: '12086',
      url: options.url ?? `https://${siteKey}/`,
      platform: 'REALAUCTION',
      siteKey,
      active: options.active ?? true,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return row.id
}

export function commandsOn(db: Database, queue: Queue): Commands {
  return createCommands({ db, queue, config: testConfig(), log: silent })
}

/** Submits a job that must be taken: three days of 2026 unless told. */
export async function submitted(commands: Commands, input: SubmitJobInput): Promise<JobRow> {
  const outcome = await commands.submitJob({ startDate: '2026-03-16', endDate: '2026-03-18', ...input }, null)
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
  return outcome.value
}

export async function jobOf(db: Database, id: string): Promise<JobRow> {
  return await db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

/** A job's executions, oldest first. */
export async function executionsOf(db: Database, jobId: string): Promise<ExecutionRow[]> {
  return await db
    .selectFrom('executions')
    .selectAll()
    .where('jobId', '=', jobId)
    .orderBy('startedAt')
    .orderBy('attempt')
    .execute()
}

export async function errorsOf(db: Database, jobId: string): Promise<JobErrorRow[]> {
  return await db.selectFrom('jobErrors').selectAll().where('jobId', '=', jobId).orderBy('occurredAt').execute()
}

export async function linesOf(db: Database, jobId: string): Promise<LogLineRow[]> {
  return await db.selectFrom('jobLogLines').selectAll().where('jobId', '=', jobId).orderBy('line').execute()
}
