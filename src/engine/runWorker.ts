import { readConfig } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import type { SitePlatform } from '../domain.ts'
import { createLogger } from '../log.ts'
import { workerConnections } from './connections.ts'
import { type ToParent, toChild } from './protocol.ts'
import { runJob } from './runJob.ts'
import type { Site } from './sites/site.ts'

const heartbeatMs = 1_000

/**
 * A worker's life: says that it is ready, runs one job at a time, and ends with the channel to its parent. Sites come
 * from outside, so that tests can bring their own.
 */
export async function runWorker({ siteFor }: { siteFor: (platform: SitePlatform) => Site }): Promise<void> {
  const config = readConfig()
  if (!process.send || config.databaseUrl === null) throw new Error('a worker is started by its node')
  const { databaseUrl } = config
  const log = createLogger(config.logLevel, 'worker')
  const db = openDatabase(databaseUrl, { max: workerConnections.pool, name: 'gavel worker', log })
  let busy = false

  // Its node has died, or has let it go.
  process.once('disconnect', () => process.exit(0))
  process.on('message', (raw) => {
    const message = toChild.parse(raw)
    if (busy) throw new Error('a worker runs one job at a time')
    busy = true
    void (async () => {
      const { executionId, deadline } = message
      const outcome = await runJob({ db, databaseUrl, config, log, siteFor }, { executionId, deadline })
      busy = false
      send({ type: 'done', executionId, outcome })
    })()
  })
  setInterval(() => send({ type: 'heartbeat', rssBytes: process.memoryUsage.rss() }), heartbeatMs)
  send({ type: 'ready' })
}

function send(message: ToParent): void {
  process.send?.(message, undefined, {}, (error: Error | null) => {
    // Nobody hears it: as good as disconnected.
    if (error) process.exit(1)
  })
}
