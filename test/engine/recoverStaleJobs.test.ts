import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lockExecution } from '../../src/db/changeJob.ts'
import type { JobRow } from '../../src/db/tables.ts'
import { openExecution } from '../../src/engine/executions.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { recoverStaleJobs } from '../../src/engine/recovery.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  commandsOn,
  errorsOf,
  executionsOf,
  insertScrapeUrl,
  jobOf,
  linesOf,
  silent,
  submitted,
} from '../support/engineFixtures.ts'

let test: TestDatabase
let queue: Queue

beforeAll(async () => {
  test = await createTestDatabase()
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
})

afterAll(async () => {
  await queue.stop()
  await test.drop()
})

const deps = () => ({ db: test.db, queue, retryDelaysSeconds: [5], staleAfterSeconds: 10 })

/** A job that runs on a node nobody has heard of for so long. */
async function runningJob(silentSeconds: number, maxAttempts = 4): Promise<{ job: JobRow; executionId: string }> {
  const scrapeUrlId = await insertScrapeUrl(test.db)
  const { id, queueId } = await submitted(commandsOn(test.db, queue), { scrapeUrlId, maxAttempts })
  const executionId = randomUUID()
  const delivery = { queueId: queueId ?? '', jobId: id, sameAttempt: false }
  await openExecution(deps(), delivery, { executionId, node: 'gone-1', pid: 4711 })
  await test.db
    .updateTable('executions')
    .set({ heartbeatAt: sql<Date>`now() - make_interval(secs => ${silentSeconds})` })
    .where('id', '=', executionId)
    .execute()
  return { job: await jobOf(test.db, id), executionId }
}

async function queueStates(jobId: string): Promise<string[]> {
  const { rows } = await sql<{ state: string }>`
    select state::text from pgboss.job where data->>'jobId' = ${jobId} order by created_on`.execute(test.db)
  return rows.map((row) => row.state)
}

describe('recoverStaleJobs', () => {
  it('closes the executions whose worker is gone, and queues their jobs at once', async () => {
    const { job, executionId } = await runningJob(60)
    const living = await runningJob(3)
    const outcome = await recoverStaleJobs(deps())
    expect(outcome).toMatchObject({ kind: 'ok', value: { jobs: [{ id: job.id, status: 'PENDING', attempt: 1 }] } })
    const after = await jobOf(test.db, job.id)
    expect(after.queueId).not.toBe(job.queueId)
    expect(after.nextAttemptAt).toBeNull()
    expect(after.sequence).toBeGreaterThan(job.sequence)
    const [execution] = await executionsOf(test.db, job.id)
    expect(execution).toMatchObject({
      status: 'FAILED',
      stats: { ok: false, code: 'WORKER_LOST', days: { PENDING: 3 } },
      errorMessage: 'worker 4711 of node gone-1 was lost',
    })
    expect(execution?.finishedAt).toBeInstanceOf(Date)
    expect(execution?.durationMs).toBeGreaterThanOrEqual(0)
    expect(await errorsOf(test.db, job.id)).toMatchObject([{ code: 'WORKER_LOST', retryable: true }])
    expect((await linesOf(test.db, job.id)).at(-1)?.message).toContain('WORKER_LOST')
    expect(await queueStates(job.id)).toEqual(['completed', 'created'])
    // The old worker, should it come back, can write nothing.
    await expect(test.db.transaction().execute(async (trx) => await lockExecution(trx, executionId))).rejects.toThrow(
      'is closed',
    )
    expect(await jobOf(test.db, living.job.id)).toMatchObject({ status: 'RUNNING' })
    expect(await recoverStaleJobs(deps())).toEqual({ kind: 'ok', value: { jobs: [] } })
  })

  it('ends a job whose attempts are used up', async () => {
    const { job } = await runningJob(60, 1)
    const outcome = await recoverStaleJobs(deps())
    expect(outcome).toMatchObject({ kind: 'ok', value: { jobs: [{ id: job.id, status: 'FAILED', queueId: null }] } })
  })

  it('waits as long as it is told, and refuses less than GAVEL_STALE_AFTER', async () => {
    const { job } = await runningJob(60)
    expect(await recoverStaleJobs(deps(), { olderThanSeconds: 120 })).toEqual({ kind: 'ok', value: { jobs: [] } })
    expect(await recoverStaleJobs(deps(), { olderThanSeconds: 9 })).toEqual({
      kind: 'invalid',
      issues: [{ path: ['olderThanSeconds'], message: 'must be at least GAVEL_STALE_AFTER, 10 seconds' }],
    })
    expect((await jobOf(test.db, job.id)).status).toBe('RUNNING')
  })
})
