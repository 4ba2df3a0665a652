import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listen } from '../../src/db/listen.ts'
import { CursorExpiredError, keptPositions, type ProspectChangeFilter } from '../../src/db/prospectChanges.ts'
import type { RecordedChange } from '../../src/db/prospects/changes.ts'
import { recordChanges } from '../../src/db/prospects/recordChanges.ts'
import type { JobRow, ProspectChangeRow, ProspectRow, ScrapeUrlRow } from '../../src/db/tables.ts'
import { createEvents, type Events } from '../../src/engine/events.ts'
import { changed, record } from '../support/changes.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { silent } from '../support/engineFixtures.ts'
import { insertProspects } from '../support/prospects.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

let database: TestDatabase
/** Two nodes on one database. */
let nodes: [Events, Events]
let leaving: AbortController
const sites: ScrapeUrlRow[] = []
const jobs: JobRow[] = []
let prospects: ProspectRow[]

beforeAll(async () => {
  database = await createTestDatabase()
  const options = { databaseUrl: database.url, db: database.db, log: silent }
  nodes = [await createEvents(options), await createEvents(options)]
  for (let i = 0; i < 4; i += 1) {
    const site = await insertSite(database.db)
    sites.push(site)
    jobs.push(await insertJob(database.db, site, { startDate: '2026-03-16' }))
  }
  prospects = await insertProspects(database.db, [{}, {}, {}, {}])
})
beforeEach(() => {
  leaving = new AbortController()
})
afterEach(async () => {
  leaving.abort()
  await everybodyLeft()
})
afterAll(async () => {
  for (const node of nodes) await node.stop()
  await database.drop()
})

const everybodyLeft = async () => await until(() => expect(nodes.map((one) => one.counts().waiters)).toEqual([0, 0]))

const updated = (n: number): RecordedChange => ({ kind: 'UPDATED', fields: [changed('city', null, String(n))] })

/** Saves by the i-th job, with so many changes each. */
async function save(i: number, changes: number): Promise<void> {
  const by = { scrapeUrlId: (sites[i] as ScrapeUrlRow).id, jobId: (jobs[i] as JobRow).id }
  await record(
    database.db,
    prospects[i] as ProspectRow,
    Array.from({ length: changes }, (_, n) => updated(n)),
    by,
  )
}

const newest = async (): Promise<number> => (await keptPositions(database.db)).newest

function follow(node: Events, after: number | null, filter: ProspectChangeFilter = {}) {
  const told: ProspectChangeRow[] = []
  const changes = node.watchProspects(filter, { after, signal: leaving.signal })
  const reading = (async () => {
    for await (const change of changes) told.push(change)
  })()
  return { told, reading, changes }
}

const asleep = async (node: Events, readers: number) => await until(() => expect(node.counts().waiters).toBe(readers))

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const positions = (rows: readonly ProspectChangeRow[]): number[] => rows.map((row) => row.position)

describe('prospectChanges', () => {
  test('tells what is saved from now on, in the order of the commits, none lost and none twice, on every node', async () => {
    await save(0, 3)
    const start = await newest()
    const readers = nodes.flatMap((node) => [follow(node, null), follow(node, null)])
    await Promise.all(nodes.map((node) => asleep(node, 2)))
    // Four jobs at once, whose saves wait for each other in whatever order.
    await Promise.all(
      sites.map(async (_, i) => {
        for (let n = 0; n < 25; n += 1) await save(i, 1 + (n % 5))
      }),
    )
    const end = await newest()
    expect(end - start).toBe(300)
    for (const { told } of readers) {
      await until(() => expect(told).toHaveLength(300))
      expect(positions(told)).toEqual(range(start + 1, end))
    }
  })

  test('is woken when a save commits, and not by one that is rolled back', async () => {
    const heard: string[] = []
    const channel = 'gavel_prospects'
    const onNotification = (_payload: string, on: string) => heard.push(on)
    const { url: databaseUrl } = database
    const listener = await listen({ databaseUrl, channel, log: silent, onNotification, onConnect: () => {} })
    const undone = database.db.transaction().execute(async (trx) => {
      const by = { scrapeUrlId: (sites[0] as ScrapeUrlRow).id, jobId: (jobs[0] as JobRow).id, at: new Date() }
      await recordChanges(trx, [{ prospect: prospects[0] as never, change: updated(1) }], by)
      throw new Error('no')
    })
    await expect(undone).rejects.toThrow('no')
    await save(0, 5)
    await until(() => expect(heard).toEqual([channel]))
    await listener.stop()
  })

  test('waits for a save that began first and commits last, and loses nothing by it', async () => {
    const start = await newest()
    const { told } = follow(nodes[0], null)
    await asleep(nodes[0], 1)
    let commit = () => {}
    const held = new Promise<void>((resolve) => {
      commit = resolve
    })
    const first = database.db.transaction().execute(async (trx) => {
      await sql`update prospect_change_counter set position = position`.execute(trx)
      await held
    })
    const second = save(1, 2)
    commit()
    await Promise.all([first, second])
    await until(() => expect(positions(told)).toEqual([start + 1, start + 2]))
  })

  test('goes on after a cursor, however far behind, and then live', async () => {
    for (let i = 0; i < 3; i += 1) await save(i, 600)
    const end = await newest()
    const { told } = follow(nodes[1], 2)
    await asleep(nodes[1], 1)
    await save(3, 7)
    await until(() => expect(told.at(-1)?.position).toBe(end + 7))
    expect(positions(told)).toEqual(range(3, end + 7))
  })

  test('tells a reader with a filter what matches it alone, from the past and live', async () => {
    const start = await newest()
    for (let i = 0; i < 4; i += 1) await save(i, 60)
    const { told } = follow(nodes[0], start, { scrapeUrlIds: [(sites[2] as ScrapeUrlRow).id] })
    await asleep(nodes[0], 1)
    for (let i = 0; i < 4; i += 1) await save(i, 2)
    await until(() => expect(told).toHaveLength(62))
    expect(positions(told)).toEqual([...range(start + 121, start + 180), start + 245, start + 246])
  })

  test('a reader that stalls has one page in hand, and gets the rest when it goes on', async () => {
    const start = await newest()
    const stalled = nodes[0].watchProspects({}, { after: start, signal: leaving.signal })
    const other = follow(nodes[0], start)
    const first = stalled.next()
    for (let n = 0; n < 8; n += 1) await save(n % 4, 400)
    await until(() => expect(other.told).toHaveLength(3_200))
    const told = [(await first).value as ProspectChangeRow]
    while (told.length < 3_200) told.push((await stalled.next()).value as ProspectChangeRow)
    expect(positions(told)).toEqual(range(start + 1, start + 3_200))
    await stalled.return()
  })

  test('a reader loses nothing at the edge of what is kept in memory', async () => {
    const start = await newest()
    const live = follow(nodes[0], null)
    await asleep(nodes[0], 1)
    for (let n = 0; n < 11; n += 1) await save(n % 4, 100)
    const end = start + 1_100
    await until(() => expect(live.told).toHaveLength(1_100))
    const edges = range(end - 1_003, end - 997)
    const readers = edges.map((after) => follow(nodes[0], after))
    for (const [i, { told }] of readers.entries()) {
      await until(() => expect(told.at(-1)?.position).toBe(end))
      expect(positions(told)).toEqual(range((edges[i] as number) + 1, end))
    }
  })

  test('what was saved while nobody listened is found', async () => {
    const start = await newest()
    const { told } = follow(nodes[0], null)
    await asleep(nodes[0], 1)
    const end = await newest()
    await sql`
      with counter as (update prospect_change_counter set position = position + 1 returning position)
      insert into prospect_changes (position, prospect_id, county_fips, scrape_url_id, kind, auction_type, fields)
      select position, ${prospects[0]?.id}, '12031', ${sites[0]?.id}, 'UPDATED', 'OTHER', '[]' from counter`.execute(
      database.db,
    )
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'gavel listen gavel_job' and datname = current_database()`.execute(database.db)
    await until(() => expect(positions(told)).toEqual([start + 1]))
    expect(start).toBe(end)
  })

  test('frees everything when a reader leaves, and one that comes after starts anew', async () => {
    const one = follow(nodes[0], null)
    await asleep(nodes[0], 1)
    await one.changes.return()
    await one.reading
    expect(nodes[0].counts()).toEqual({ waiters: 0, topics: 0 })
    await save(0, 5)
    const start = await newest()
    const two = follow(nodes[0], null)
    await asleep(nodes[0], 1)
    await save(0, 1)
    await until(() => expect(positions(two.told)).toEqual([start + 1]))
  })

  test('a reader whose changes are deleted before it comes to them is told so', async () => {
    const start = await newest()
    await save(0, 120)
    const late = nodes[0].watchProspects({}, { after: start, signal: leaving.signal })
    await late.next()
    await database.db
      .deleteFrom('prospectChanges')
      .where('position', '<=', start + 110)
      .execute()
    const rest = async () => {
      for (let n = 0; n < 119; n += 1) await late.next()
    }
    await expect(rest()).rejects.toThrow(CursorExpiredError)
  })
})
