import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { livingNodes } from '../../src/db/workerPool.ts'
import { type Node, startNode } from '../../src/engine/node.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  commandsOn,
  executionsOf,
  insertScrapeUrl,
  jobOf,
  silent,
  submitted,
  testConfig,
} from '../support/engineFixtures.ts'

let test: TestDatabase
let folder: string
let node: Node

beforeAll(async () => {
  test = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'gavel-circuit-'))
  const entry = join(folder, 'worker.mjs')
  const real = new URL('../support/fixtureWorker.ts', import.meta.url).href
  await writeFile(
    entry,
    `
    import { existsSync } from 'node:fs'
    if (!existsSync(${JSON.stringify(join(folder, 'memory'))})) {
      console.error('out of memory')
      process.exit(134)
    }
    await import(${JSON.stringify(real)})`,
  )
  node = await startNode({
    config: testConfig({ GAVEL_CSV_DIR: join(folder, 'csv'), LOG_LEVEL: 'silent' }),
    databaseUrl: test.url,
    db: test.db,
    log: silent,
    workers: 2,
    workerEntry: pathToFileURL(entry),
  })
})

afterAll(async () => {
  await node.stop(0)
  await test.drop()
  await rm(folder, { recursive: true })
})

const until = { timeout: 30_000, interval: 25 }
const faults = async () => (await livingNodes(test.db, 10)).map((one) => one.fault)

it('a node whose workers cannot start takes no jobs and says why; they wait unspent until one can', async () => {
  await vi.waitFor(async () => expect(await faults()).toEqual([expect.stringContaining('out of memory')]), until)
  const commands = commandsOn(test.db, node.queue)
  const jobs = []
  for (let n = 0; n < 5; n += 1) {
    jobs.push(await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db), maxAttempts: 1 }))
  }
  // A further start has been tried meanwhile.
  const seen = new Set<number>()
  await vi.waitFor(() => {
    for (const worker of node.workers()) seen.add(worker.pid)
    expect(seen.size).toBeGreaterThan(0)
  }, until)
  for (const { id } of jobs) {
    expect(await jobOf(test.db, id)).toMatchObject({ status: 'PENDING', attempt: 0 })
    expect(await executionsOf(test.db, id)).toEqual([])
  }

  await writeFile(join(folder, 'memory'), '')
  for (const { id } of jobs) {
    await vi.waitFor(async () => expect((await jobOf(test.db, id)).status).toBe('COMPLETED'), until)
    expect(await executionsOf(test.db, id)).toHaveLength(1)
  }
  expect(await faults()).toEqual([null])
}, 60_000)

it('a node that loses the workers of several jobs in a row pauses, says why, and goes on when one ends', async () => {
  const commands = commandsOn(test.db, node.queue)
  const doomed = []
  for (let n = 0; n < 5; n += 1) {
    const url = `https://${randomUUID()}.example.test/?crash=1`
    const scrapeUrlId = await insertScrapeUrl(test.db, { url })
    doomed.push(await submitted(commands, { scrapeUrlId, maxAttempts: 1 }))
  }
  await vi.waitFor(
    async () => expect(await faults()).toEqual([expect.stringMatching(/lost one after the other: .*code 7/)]),
    until,
  )
  const next = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db), maxAttempts: 1 })
  await vi.waitFor(async () => expect((await jobOf(test.db, next.id)).status).toBe('COMPLETED'), until)
  for (const { id } of doomed) {
    await vi.waitFor(async () => expect((await jobOf(test.db, id)).status).toBe('FAILED'), until)
  }
  await vi.waitFor(async () => expect(await faults()).toEqual([null]), until)
}, 60_000)

it('a node that goes on after a pause takes no entry that no worker is free for', async () => {
  const commands = commandsOn(test.db, node.queue)
  const gate = join(folder, 'gate')
  const submit = async (query: string) => {
    const url = `https://${randomUUID()}.example.test/?${query}`
    return await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db, { url }), maxAttempts: 1 })
  }
  const hanging = `hang=${encodeURIComponent(gate)}`
  const long = await submit(hanging)
  await vi.waitFor(async () => expect((await jobOf(test.db, long.id)).status).toBe('RUNNING'), until)
  for (let n = 0; n < 3; n += 1) await submit('crash=1')
  await vi.waitFor(
    async () => expect(await faults()).toEqual([expect.stringContaining('lost one after the other')]),
    until,
  )
  const waiting = [await submit(hanging), await submit(hanging), await submit(hanging)]
  const running = async () => {
    const jobs = await Promise.all(waiting.map(async ({ id }) => await jobOf(test.db, id)))
    return jobs.filter((job) => job.status === 'RUNNING').length
  }
  await vi.waitFor(async () => expect(await running()).toBe(1), until)
  // Two beats later it would have taken more, had it slots for them.
  const beat = async () => (await livingNodes(test.db, 10))[0]?.heartbeatAt.getTime() ?? 0
  for (let beats = 0; beats < 2; beats += 1) {
    const last = await beat()
    await vi.waitFor(async () => expect(await beat()).toBeGreaterThan(last), until)
  }
  const { rows } = await sql<{ n: number }>`
    select count(*) as n from pgboss.job where name = 'scrape' and state = 'active'`.execute(test.db)
  expect(rows).toEqual([{ n: 2 }])
  await writeFile(gate, '')
  for (const { id } of [long, ...waiting]) {
    await vi.waitFor(async () => expect((await jobOf(test.db, id)).status).toBe('COMPLETED'), until)
  }
}, 60_000)
