import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { type Delivery, newQueueId, openQueue, type Queue } from '../../src/engine/queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { silent } from '../support/engineFixtures.ts'

let test: TestDatabase
const queues: Queue[] = []

beforeAll(async () => {
  test = await createTestDatabase()
})

afterEach(async () => {
  await Promise.all(queues.splice(0).map(async (queue) => await queue.stop()))
  await sql`delete from pgboss.job`.execute(test.db)
})

afterAll(async () => await test.drop())

async function open(worker = true): Promise<Queue> {
  const queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker, log: silent })
  queues.push(queue)
  return queue
}

async function enqueue(queue: Queue, siteKey: string, options: { priority?: number; queueId?: string } = {}) {
  const { queueId = newQueueId(), priority = 0 } = options
  const entry = { queueId, jobId: randomUUID(), platform: 'REALAUCTION', siteKey, priority } as const
  await test.db.transaction().execute(async (trx) => await queue.enqueue(trx, entry))
  return entry
}

const until = { timeout: 20_000, interval: 20 }

it('runs one job at a time of a site over several nodes, and others meanwhile', async () => {
  const nodes = [await open(), await open()]
  const sites = ['a', 'b', 'c']
  for (let n = 0; n < 24; n += 1) await enqueue(nodes[0] as Queue, sites[n % 3] ?? '')
  const jobSite = new Map<string, string>()
  const { rows } = await sql<{ id: string; groupId: string }>`select id, group_id from pgboss.job`.execute(test.db)
  for (const row of rows) jobSite.set(row.id, row.groupId)
  const active = new Set<string>()
  let done = 0
  let together = 0
  const overlaps: string[] = []
  const handler = async ({ queueId }: Delivery): Promise<void> => {
    const site = jobSite.get(queueId) ?? ''
    if (active.has(site)) overlaps.push(site)
    active.add(site)
    together = Math.max(together, active.size)
    await sql`select pg_sleep(0.02)`.execute(test.db)
    active.delete(site)
    done += 1
  }
  for (const node of nodes) await node.work(3, handler)
  await vi.waitFor(() => expect(done).toBe(24), until)
  expect(overlaps).toEqual([])
  expect(together).toBeGreaterThan(1)
})

it('gives a site free for its next job at once, also at a node that came while it was busy', async () => {
  const first = await open()
  for (let n = 0; n < 2; n += 1) await enqueue(first, 'busy')
  const release = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  await first.work(1, async () => {
    started.resolve()
    await release.promise
  })
  await started.promise
  // The supervisor has passed and could have seen that the site is busy.
  await vi.waitFor(async () => {
    const { rows } = await sql<{ passed: boolean }>`
      select monitor_claim_on > (select max(started_on) from pgboss.job) as passed from pgboss.queue
      where name = 'scrape'`.execute(test.db)
    expect(rows).toEqual([{ passed: true }])
  }, until)
  const second = await open()
  let delivered = 0
  await second.work(1, async () => void (delivered += 1))
  await first.stopTaking()
  release.resolve()
  await vi.waitFor(() => expect(delivered).toBe(1), { timeout: 5_000, interval: 20 })
})

it('runs the higher priority first', async () => {
  const queue = await open()
  const low = await enqueue(queue, 'one', { priority: -5 })
  const high = await enqueue(queue, 'two', { priority: 5 })
  const order: string[] = []
  await queue.work(1, async ({ queueId }) => void order.push(queueId))
  await vi.waitFor(() => expect(order).toEqual([high.queueId, low.queueId]), until)
})

it('delivers nothing of a transaction that is rolled back, and throws for an id that is taken', async () => {
  const queue = await open()
  const taken = await enqueue(queue, 'one')
  const delivered: string[] = []
  await expect(enqueue(queue, 'two', { queueId: taken.queueId })).rejects.toThrow(taken.queueId)
  await expect(
    test.db.transaction().execute(async (trx) => {
      const entry = { queueId: newQueueId(), jobId: randomUUID(), platform: 'REALAUCTION', siteKey: 'three' } as const
      await queue.enqueue(trx, { ...entry, priority: 10 })
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  await queue.work(1, async ({ queueId }) => void delivered.push(queueId))
  await vi.waitFor(() => expect(delivered).toEqual([taken.queueId]), until)
})

it('delivers again what a handler threw at', async () => {
  const queue = await open()
  const { queueId } = await enqueue(queue, 'one')
  const delivered: string[] = []
  await queue.work(1, async (delivery) => {
    delivered.push(delivery.queueId)
    if (delivered.length === 1) throw new Error('a fault')
  })
  await vi.waitFor(() => expect(delivered).toEqual([queueId, queueId]), until)
})
