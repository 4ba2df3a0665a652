import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { sql } from 'kysely'

import { readConfig } from '../../src/config.ts'
import { type Database, openDatabase } from '../../src/db/database.ts'
import { migrate } from '../../src/db/migrate.ts'
import { submitJobs } from '../../src/engine/batches.ts'
import { poolSize } from '../../src/engine/connections.ts'
import { startNode } from '../../src/engine/node.ts'
import type { Outcome } from '../../src/engine/outcome.ts'
import { submitJob } from '../../src/engine/submitJob.ts'
import { createLogger } from '../../src/log.ts'
import type { Side } from '../queue.ts'
import { untilDrained } from './untilDrained.ts'

/** A past day: nothing of it is asked of any clock. */
const day = { startDate: '2026-01-05', endDate: '2026-01-05' }

/**
 * A node with its pool of workers in child processes, as `gavel serve` starts it, whose sites have one empty day each
 * (worker.ts). The sites lie in as many counties as there are: saves in one county wait for each other.
 */
export async function openOurSide(databaseUrl: string, options: { workers: number; sites: number }): Promise<Side> {
  const { workers } = options
  await using opening = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gavel-bench-'))
  opening.defer(async () => await rm(folder, { recursive: true, force: true }))
  const log = createLogger('warn', 'bench')
  const config = readConfig({ GAVEL_CSV_DIR: join(folder, 'csv'), LOG_LEVEL: 'warn' })
  const db = openDatabase(databaseUrl, { max: poolSize({ workers, api: true }), name: 'bench', log })
  opening.defer(async () => await db.destroy())
  await migrate(db)
  const starts = join(folder, 'starts')
  const sites = await insertSites(db, options.sites, starts)
  const workerEntry = new URL('worker.ts', import.meta.url)
  const node = await startNode({ config, databaseUrl, db, log, workers, workerEntry })
  opening.defer(async () => await node.stop())
  const deps = { db, queue: node.queue, config, log }
  const closing = opening.move()

  /** No worker is still being replaced. */
  async function warm(): Promise<void> {
    const deadline = Date.now() + 60_000
    while (node.workers().filter((worker) => worker.state === 'IDLE').length < workers) {
      if (Date.now() > deadline) throw new Error('the pool did not get ready')
      await delay(20)
    }
  }

  return {
    async submitSingles(pauses) {
      await warm()
      await writeFile(starts, '')
      const submitted: { host: string; at: bigint }[] = []
      for (const [i, pause] of pauses.entries()) {
        await delay(pause)
        const { id, host } = at(sites, i)
        submitted.push({ host, at: process.hrtime.bigint() })
        accepted(await submitJob(deps, { scrapeUrlId: id, ...day }, null))
      }
      const handled = await untilStarted(starts, pauses.length)
      return submitted.map((job) => Number((handled.get(job.host) ?? 0n) - job.at) / 1e6)
    },

    async drain(jobs) {
      await warm()
      const scrapeUrlIds = sites.slice(0, jobs).map((site) => site.id)
      const rate = await untilDrained(db, jobs, async () => {
        accepted(await submitJobs(deps, { scrapeUrlIds, ...day }, null))
      })
      const { rows } = await sql`select from jobs where status <> 'COMPLETED' or dates_done <> 1`.execute(db)
      if (rows.length > 0) throw new Error(`${rows.length} jobs did not complete`)
      return rate
    },

    [Symbol.asyncDispose]: async () => await closing.disposeAsync(),
  }
}

async function insertSites(db: Database, count: number, starts: string): Promise<{ id: string; host: string }[]> {
  const query = `starts=${encodeURIComponent(starts)}`
  const { rows } = await sql<{ id: string; host: string }>`
    insert into scrape_urls (county_fips, url, platform, site_key)
    select c.fips, 'https://s' || n || '.example.test/?' || ${query}, 'REALAUCTION', 's' || n || '.example.test'
    from generate_series(1, ${count}) as n
    join (select fips, row_number() over (order by fips) as place, count(*) over () as places from counties) as c
      on c.place = n % c.places + 1
    returning id, site_key as host`.execute(db)
  return rows
}

/** When each site was entered, by its host, in nanoseconds of the machine's monotonic clock. */
async function untilStarted(starts: string, count: number): Promise<Map<string, bigint>> {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    await delay(50)
    const lines = [...(await readFile(starts, 'utf8')).matchAll(/^(\S+) (\d+)\n/gm)]
    if (lines.length >= count) return new Map(lines.map(([, host = '', at = '']) => [host, BigInt(at)]))
  }
  throw new Error('not all single jobs were started')
}

function accepted(outcome: Outcome<unknown>): void {
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
}

function at<T>(items: readonly T[], i: number): T {
  const item = items[i]
  if (item === undefined) throw new Error('too few sites')
  return item
}
