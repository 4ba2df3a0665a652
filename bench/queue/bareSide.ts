import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { PgBoss } from 'pg-boss'
import { readConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/db/database.ts'
import { disableQueueStatistics } from '../../src/db/queueStatistics.ts'
import { instanceSettings, policy, queueSettings, slotSettings } from '../../src/engine/queueSettings.ts'
import { createLogger } from '../../src/log.ts'
import type { Side } from '../queue.ts'
import { untilDrained } from './untilDrained.ts'

const name = 'scrape'

/** pg-boss as our queue sets it up, with as many slots, looking again after each job; the handler does nothing. */
export async function openBareSide(databaseUrl: string, { workers }: { workers: number }): Promise<Side> {
  await using opening = new AsyncDisposableStack()
  const log = createLogger('warn', 'bare')
  const db = openDatabase(databaseUrl, { max: 1, name: 'bare', log })
  opening.defer(async () => await db.destroy())
  const boss = new PgBoss({ connectionString: databaseUrl, ...instanceSettings(true) })
  boss.on('error', (error) => log.error({ err: error }, 'bare pg-boss'))
  await boss.start()
  opening.defer(async () => await boss.stop({ graceful: false, close: true }))
  const settings = queueSettings(readConfig({}).staleAfterSeconds)
  await boss.createQueue(name, { policy, ...settings })
  await disableQueueStatistics(db)

  const handled = new Map<string, bigint>()
  for (let slot = 0; slot < workers; slot += 1) {
    let id: string | null = null
    id = await boss.work(name, slotSettings, async ([job]) => {
      if (job) handled.set(job.id, process.hrtime.bigint())
      if (id !== null) boss.notifyWorker(id)
    })
  }
  const closing = opening.move()

  return {
    async submitSingles(pauses) {
      const submitted = new Map<string, bigint>()
      for (const pause of pauses) {
        await delay(pause)
        const entry = newEntry()
        submitted.set(entry.id, process.hrtime.bigint())
        const { data, ...options } = entry
        if ((await boss.send(name, data, options)) === null) throw new Error('pg-boss did not take a job')
      }
      const deadline = Date.now() + 60_000
      while ([...submitted.keys()].some((id) => !handled.has(id))) {
        if (Date.now() > deadline) throw new Error('not all single jobs were started')
        await delay(50)
      }
      return [...submitted].map(([id, at]) => Number((handled.get(id) ?? 0n) - at) / 1e6)
    },

    drain: async (jobs) =>
      await untilDrained(db, jobs, async () => {
        await boss.insert(name, Array.from({ length: jobs }, newEntry))
      }),

    [Symbol.asyncDispose]: async () => await closing.disposeAsync(),
  }
}

/** As our queue makes them, each on a site of its own. */
function newEntry() {
  const site = `REALAUCTION:${randomUUID()}.example.test`
  return {
    id: randomUUID(),
    data: { jobId: randomUUID(), sameAttempt: false },
    priority: 0,
    singletonKey: site,
    group: { id: site },
  }
}
