import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { type Node, startNode } from '../../src/engine/node.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  commandsOn,
  errorsOf,
  executionsOf,
  insertScrapeUrl,
  jobOf,
  silent,
  submitted,
  testConfig,
} from '../support/engineFixtures.ts'

let test: TestDatabase
let folder: string
let site: SampleSite
let node: Node

beforeAll(async () => {
  test = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'gavel-run-'))
  site = await startSampleSite({ seed: 7 })
  node = await startNode({
    config: testConfig({
      GAVEL_CSV_DIR: folder,
      GAVEL_ALLOW_PRIVATE_HOSTS: site.host,
      GAVEL_HOST_RPS: '0',
      GAVEL_PLATFORM_RPS: '0',
      LOG_LEVEL: 'silent',
    }),
    databaseUrl: test.url,
    db: test.db,
    log: silent,
    workers: 1,
  })
})

afterAll(async () => {
  await node.stop(0)
  await site.close()
  await test.drop()
  await rm(folder, { recursive: true })
})

it('reads the days of a county site through a real worker and keeps what the site holds', async () => {
  const held = site.days.filter((day) => day.items.length > 0).slice(0, 3)
  const [first, last] = [held.at(0)?.date ?? '', held.at(-1)?.date ?? '']
  const scrapeUrlId = await insertScrapeUrl(test.db, { siteKey: site.host, url: site.url })
  const { id } = await submitted(commandsOn(test.db, node.queue), { scrapeUrlId, startDate: first, endDate: last })
  const job = await vi.waitFor(
    async () => {
      const row = await jobOf(test.db, id)
      expect(row.finishedAt).not.toBeNull()
      return row
    },
    { timeout: 60_000, interval: 50 },
  )
  expect(await errorsOf(test.db, id)).toEqual([])
  const there = site.days.filter((day) => day.date >= first && day.date <= last).flatMap((day) => day.items)
  expect(job).toMatchObject({ status: 'COMPLETED', rowsSuccess: there.length, rowsFailed: 0 })
  const [execution] = await executionsOf(test.db, id)
  expect(execution?.stages.map((stage) => stage.name)).toEqual([
    'FETCH',
    'PARSE',
    'CONVERT',
    'SAVE',
    'EXPORT',
    'NOTIFY',
  ])
  const csv = await readFile(join(folder, `FL_Miami-Dade_${id}.csv`), 'utf8')
  expect(csv.trimEnd().split('\n')).toHaveLength(there.length + 1)
}, 90_000)
