import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import { checkConnections, poolSize } from '../engine/connections.ts'
import { startNode } from '../engine/node.ts'
import { startSchedules } from '../engine/schedules.ts'
import { startWebhooks } from '../engine/webhooks.ts'
import { createLogger } from '../log.ts'
import { openRuntime } from './runtime.ts'
import { untilSignal } from './untilSignal.ts'
import { readWorkers } from './workers.ts'

export function registerWorker(program: Command): void {
  program
    .command('worker')
    .description('run jobs without the API: a further node on the same DATABASE_URL')
    .option('--workers <n>', 'child processes in this node (GAVEL_WORKERS)', readWorkers)
    .action(async (options: { workers?: number }) => {
      const config = readConfig()
      const workers = options.workers ?? config.workers
      const log = createLogger(config.logLevel, 'gavel')
      const stopped = untilSignal(log)
      const runtime = await openRuntime(config, log, {
        name: 'gavel worker',
        max: poolSize({ workers, api: false }),
        migrated: true,
      })
      try {
        await checkConnections(runtime.db, { workers, api: false })
        const { db, databaseUrl } = runtime
        const node = await startNode({ config, databaseUrl, db, log, workers })
        const schedules = startSchedules({ db, queue: node.queue, config, log })
        const webhooks = startWebhooks({ db, allowPrivateHosts: config.allowPrivateHosts, log })
        await stopped
        await webhooks.stop()
        await schedules.stop()
        await node.stop()
      } finally {
        await runtime.close()
      }
    })
}
