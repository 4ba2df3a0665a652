import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openPolitenessStore } from '../../../src/db/politeness.ts'
import { createPoliteness, type Politeness, type PolitenessLimits } from '../../../src/engine/fetch/politeness.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import type { Orders } from './politenessChild.ts'

const noLimits: PolitenessLimits = { hostConcurrency: 0, hostRps: 0, platformConcurrency: 0, platformRps: 0 }
const { signal } = new AbortController()
const endings: (() => unknown)[] = []
let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
})
beforeEach(async () => {
  await database.db.deleteFrom('politenessGates').execute()
})
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})
afterAll(() => database.drop())

function politeness(limits: Partial<PolitenessLimits>): Politeness {
  const made = createPoliteness({
    databaseUrl: database.url,
    limits: { ...noLimits, ...limits },
    platform: 'REALAUCTION',
  })
  endings.push(() => made.close())
  return made
}

function child(orders: Omit<Orders, 'databaseUrl'>): ChildProcess {
  const made = fork(new URL('politenessChild.ts', import.meta.url), [
    JSON.stringify({ ...orders, databaseUrl: database.url }),
  ])
  endings.push(() => made.kill('SIGKILL'))
  return made
}

describe('requests at once', () => {
  test('are limited per host and per platform over processes', async () => {
    const open = new Map<string, number>()
    const most = new Map<string, number>()
    const counters = await Promise.all(
      ['one.example:443', 'two.example:443'].map((host) =>
        counter((change) => {
          for (const key of [host, 'platform']) {
            open.set(key, (open.get(key) ?? 0) + change)
            most.set(key, Math.max(most.get(key) ?? 0, open.get(key) ?? 0))
          }
        }),
      ),
    )
    const limits = { ...noLimits, hostConcurrency: 2, platformConcurrency: 3 }
    const [one, two] = counters
    const children = [
      child({ limits, host: 'one.example:443', turns: 6, port: one! }),
      child({ limits, host: 'one.example:443', turns: 6, port: one! }),
      child({ limits, host: 'two.example:443', turns: 6, port: two! }),
      child({ limits, host: 'two.example:443', turns: 6, port: two! }),
    ]
    const codes = await Promise.all(children.map(async (one) => ((await once(one, 'exit')) as [number | null])[0]))
    expect(codes).toEqual([0, 0, 0, 0])
    expect(most.get('one.example:443')).toBeLessThanOrEqual(2)
    expect(most.get('two.example:443')).toBeLessThanOrEqual(2)
    expect(most.get('platform')).toBeLessThanOrEqual(3)
  })

  test('the slot of a killed process is free again', async () => {
    const limits = { ...noLimits, hostConcurrency: 1, platformConcurrency: 1 }
    const holder = child({ limits, host: 'one.example:443', turns: 0, port: 0 })
    await once(holder, 'message')
    const own = politeness(limits)
    const waiting = new AbortController()
    const refused = own.acquire('one.example:443', waiting.signal)
    waiting.abort(new Error('not free'))
    await expect(refused).rejects.toThrow('not free')

    const turn = own.acquire('one.example:443', signal)
    holder.kill('SIGKILL')
    await (await turn)()
    expect(await heldLocks()).toBe(0)
  })

  test('an abandoned wait holds nothing: not the host slot while the platform is full', async () => {
    const own = politeness({ hostConcurrency: 1, platformConcurrency: 1 })
    const release = await own.acquire('one.example:443', signal)
    const waiting = new AbortController()
    const refused = own.acquire('two.example:443', waiting.signal)
    await expect.poll(heldLocks).toBe(3)
    waiting.abort(new Error('cancelled'))
    await expect(refused).rejects.toThrow('cancelled')
    expect(await heldLocks()).toBe(2)
    await release()
    await release()
    expect(await heldLocks()).toBe(0)
  })

  test('a lost connection costs its locks and nothing else', async () => {
    const own = politeness({ hostConcurrency: 1 })
    const release = await own.acquire('one.example:443', signal)
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'gavel politeness' and datname = current_database()`.execute(database.db)
    await expect.poll(heldLocks).toBe(0)
    await release()
    await (await own.acquire('one.example:443', signal))()
  })

  test('no limit asks the database for nothing', async () => {
    const own = createPoliteness({
      databaseUrl: 'postgres://nobody@127.0.0.1:9/none',
      limits: noLimits,
      platform: 'REALAUCTION',
    })
    await expect(own.acquire('one.example:443', signal)).resolves.toBeTypeOf('function')
    await own.close()
  })
})

describe('requests per second', () => {
  test('instants are given out one interval apart, over connections', async () => {
    const stores = Array.from({ length: 4 }, () => openPolitenessStore(database.url))
    endings.push(() => Promise.all(stores.map((store) => store.close())))
    const before = await databaseTime()
    const waits = await Promise.all(
      stores.flatMap((store) => [store.reserve('k', 1000, 60_000), store.reserve('k', 1000, 60_000)]),
    )
    expect(waits).toHaveLength(8)
    expect((await gate('k')) - before).toBeGreaterThanOrEqual(8000)
    expect(Math.max(...waits.map((wait) => wait ?? 0))).toBeGreaterThan(6000)
  })

  test('the queue is bounded: who would wait too long reserves nothing', async () => {
    const store = openPolitenessStore(database.url)
    endings.push(() => store.close())
    expect(await store.reserve('k', 5000, 4000)).toBe(0)
    const stands = await gate('k')
    expect(await store.reserve('k', 5000, 4000)).toBeNull()
    expect(await gate('k')).toBe(stands)
  })

  test('a gate that stands beyond any reservation starts anew', async () => {
    const store = openPolitenessStore(database.url)
    endings.push(() => store.close())
    await sql`insert into politeness_gates values ('k', now() + interval '1 hour')`.execute(database.db)
    expect(await store.reserve('k', 500, 10_000)).toBe(0)
    expect((await gate('k')) - (await databaseTime())).toBeLessThanOrEqual(500)
  })

  test('a turn keeps both gates, of its host and of its platform', async () => {
    const own = politeness({ hostRps: 1000, platformRps: 500 })
    await (await own.acquire('one.example:443', signal))()
    await (await own.acquire('two.example:443', signal))()
    const keys = await database.db.selectFrom('politenessGates').select('key').orderBy('key').execute()
    expect(keys.map((row) => row.key)).toEqual(['host:one.example:443', 'host:two.example:443', 'platform:REALAUCTION'])
  })
})

/** A server that tells of every connection opened and closed, and answers each a little later, so that they overlap. */
async function counter(told: (change: 1 | -1) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    told(1)
    setTimeout(() => socket.write('!'), 10)
    socket.on('end', () => {
      told(-1)
      socket.end()
    })
    socket.resume()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  endings.push(() => server.close())
  return (server.address() as AddressInfo).port
}

async function heldLocks(): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`.execute(
    database.db,
  )
  return rows[0]!.count
}

async function gate(key: string): Promise<number> {
  const row = await database.db
    .selectFrom('politenessGates')
    .select('nextAt')
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  return row.nextAt.getTime()
}

async function databaseTime(): Promise<number> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(database.db)
  return rows[0]!.now.getTime()
}
