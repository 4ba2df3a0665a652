import type { Command } from 'commander'
import { readConfig } from '../config.ts'
import { startNode } from '../engine/node.ts'
import { createLogger } from '../log.ts'
import { openRuntime } from './runtime.ts'
import { untilSignal } from './untilSignal.ts'
import { nodeConnections, readWorkers } from './workers.ts'

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
        max: nodeConnections(workers),
        migrated: true,
      })
      try {
        const node = await startNode({ config, databaseUrl: runtime.databaseUrl, db: runtime.db, log, workers })
        await stopped
        await node.stop()
      } finally {
        await runtime.close()
      }
    })
}
