import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { JobBatch } from '../../src/db/batches.ts'
import { createEvents } from '../../src/engine/events.ts'
import { startNode } from '../../src/engine/node.ts'
import { openQueue } from '../../src/engine/queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, insertScrapeUrl, jobOf, silent, submitted, testConfig } from '../support/engineFixtures.ts'

let test: TestDatabase
let folder: string
beforeAll(async () => {
  test = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'gavel-batch-'))
})
afterAll(async () => {
  await test.drop()
  await rm(folder, { recursive: true })
})

it('a batch is run to its end, the job that was given priority first and one that was taken out not at all', async () => {
  const { db, url: databaseUrl } = test
  const queue = await openQueue({ db, databaseUrl, staleAfterSeconds: 10, worker: false, log: silent })
  const commands = commandsOn(db, queue)
  const submit = async () =>
    await submitted(commands, { scrapeUrlId: await insertScrapeUrl(db, { url: 'https://a.example.test/?items=2' }) })
  const [first, preferred, held] = [await submit(), await submit(), await submit()]
  for (const job of [first, preferred, held]) await commands.updateJob({ id: job.id, hold: true }, null)
  const outcome = await commands.processPendingJobs(3, null)
  if (outcome.kind !== 'ok') throw new Error(outcome.kind)
  await commands.updateJob({ id: preferred.id, priority: 5 }, null)
  await commands.updateJob({ id: held.id, hold: true }, null)

  const events = await createEvents({ databaseUrl, db, log: silent })
  const config = testConfig({ GAVEL_CSV_DIR: join(folder, 'csv'), LOG_LEVEL: 'silent' })
  const workerEntry = new URL('../support/fixtureWorker.ts', import.meta.url)
  const node = await startNode({ config, databaseUrl, db, log: silent, workers: 1, workerEntry })
  try {
    const states: JobBatch[] = []
    const { signal } = new AbortController()
    for await (const state of events.watchBatch(outcome.value.batchId, { signal })) {
      states.push(state)
      // What was taken out keeps the batch open until it is cancelled.
      if (state.completed === 2 && state.pending === 1) await commands.cancelJob(held.id)
    }
    expect(states.at(-1)).toMatchObject({ total: 3, completed: 2, cancelled: 1, rowsCollected: 12, done: true })
    const started = async (id: string) => (await jobOf(db, id)).startedAt?.getTime() ?? 0
    expect(await started(preferred.id)).toBeLessThan(await started(first.id))
    expect(await jobOf(db, held.id)).toMatchObject({ attempt: 0, startedAt: null })
  } finally {
    await node.stop(0)
    await events.stop()
    await queue.stop()
  }
})
