import { type Command, InvalidArgumentError } from 'commander'
import { type Config, ConfigError, readConfig } from '../config.ts'
import { openDatabase } from '../db/database.ts'
import { createCommands } from '../engine/commands.ts'
import { apiConnections, checkConnections, poolSize } from '../engine/connections.ts'
import { createEvents } from '../engine/events.ts'
import { startNode } from '../engine/node.ts'
import { startSchedules } from '../engine/schedules.ts'
import { startWebhooks } from '../engine/webhooks.ts'
import { createLogger } from '../log.ts'
import { limits } from '../server/limits.ts'
import { startServer } from '../server/server.ts'
import { openRuntime } from './runtime.ts'
import { untilSignal } from './untilSignal.ts'
import { readWorkers } from './workers.ts'

const shortKey = 16

export function registerServe(program: Command): void {
  program
    .command('serve')
    .description('the API and a pool of workers in one node')
    .option('--host <host>', 'address to listen on (HOST)', readHost)
    .option('--port <port>', 'port to listen on, 0: a free one (PORT)', readPort)
    .option('--workers <n>', 'child processes in this node, 0 serves only (GAVEL_WORKERS)', readWorkers)
    .action(async (options: { host?: string; port?: number; workers?: number }) => {
      await serve({ ...readConfig(), ...options })
    })
}

/** Runs a node with the API until a signal. What was opened is closed in the opposite order. */
async function serve(config: Config): Promise<void> {
  const log = createLogger(config.logLevel, 'gavel')
  const stopped = untilSignal(log)
  await using closing = new AsyncDisposableStack()
  const shape = { workers: config.workers, api: true }
  const max = poolSize({ ...shape, api: false })
  const runtime = await openRuntime(config, log, { name: 'gavel serve', max, migrated: true })
  closing.defer(() => runtime.close())
  const { databaseUrl, db } = runtime
  await checkConnections(db, shape)
  const node = await startNode({ config, databaseUrl, db, log, workers: config.workers })
  closing.defer(() => node.stop())
  const schedules = startSchedules({ db, queue: node.queue, config, log })
  closing.defer(() => schedules.stop())
  const webhooks = startWebhooks({ db, allowPrivateHosts: config.allowPrivateHosts, log })
  closing.defer(() => webhooks.stop())
  // What clients ask for never holds up the node's own work, and has a limit of time.
  const { statementMs } = limits
  const apiDb = openDatabase(databaseUrl, { max: apiConnections, name: 'gavel api', log, statementMs })
  closing.defer(() => apiDb.destroy())
  const events = await createEvents({ databaseUrl, db: apiDb, log })
  closing.defer(() => events.stop())
  if (config.adminKey !== null && config.adminKey.length < shortKey) {
    log.warn(`GAVEL_ADMIN_KEY has fewer than ${shortKey} characters: it may be guessed`)
  }
  const commands = createCommands({ db: apiDb, queue: node.queue, config, log })
  const server = await startServer({ config, db: apiDb, commands, events, log }).catch((error: unknown) => {
    throw cannotListen(config, error)
  })
  closing.defer(() => server.close())
  console.log(`Gavel is listening at ${server.url}/graphql`)
  await stopped
}

function readHost(text: string): string {
  // Node would listen on every address.
  if (text === '') throw new InvalidArgumentError('It must be a host name or address.')
  return text
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port >= 0 && port <= 65_535)) throw new InvalidArgumentError('It must be a whole number from 0 to 65535.')
  return port
}

/** What is wrong with HOST or PORT where listening failed; else the error as it is. */
function cannotListen({ host, port }: Config, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !/^(listen|getaddrinfo)$/.test(String(error.syscall)))
    return error
  return new ConfigError(`HOST and PORT: ${host}:${port} cannot be listened on: ${error.message}`, { cause: error })
}
