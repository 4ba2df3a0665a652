import { type Command, InvalidArgumentError } from 'commander'
import { ConfigError, readConfig } from '../config.ts'
import { openQueue } from '../engine/queue.ts'
import { recoverStaleJobs } from '../engine/recovery.ts'
import { createLogger } from '../log.ts'
import { openRuntime } from './runtime.ts'

export function registerRecover(program: Command): void {
  program
    .command('recover')
    .description('unlock executions whose worker is gone, and let their jobs run again')
    .option(
      '--older-than <time>',
      'how long the worker has shown no life, such as 10s or 2m (GAVEL_STALE_AFTER)',
      readTime,
    )
    .action(async (options: { olderThan?: number }) => await recover(options.olderThan))
}

async function recover(olderThanSeconds: number | undefined): Promise<void> {
  const config = readConfig()
  const log = createLogger(config.logLevel, 'gavel')
  const runtime = await openRuntime(config, log, { name: 'gavel recover', max: 2, migrated: true })
  await using closing = new AsyncDisposableStack()
  closing.defer(() => runtime.close())
  const { databaseUrl, db } = runtime
  const queue = await openQueue({ db, databaseUrl, staleAfterSeconds: config.staleAfterSeconds, worker: false, log })
  closing.defer(() => queue.stop())
  const outcome = await recoverStaleJobs({ db, queue, ...config }, { olderThanSeconds })
  if (outcome.kind === 'invalid') throw new ConfigError(`--older-than ${outcome.issues[0]?.message}`)
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
  const { jobs } = outcome.value
  for (const job of jobs) console.log(`${job.id}  ${job.status}  ${job.name}`)
  console.log(jobs.length === 0 ? 'no worker is gone' : `recovered: ${jobs.length}`)
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 }

/** `10s`, `2m`, `1h`; a bare number is seconds. In seconds. */
function readTime(text: string): number {
  const [, amount, unit = 's'] = /^(\d{1,6})([smh])?$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('It must be a time such as 10s or 2m.')
  return Number(amount) * (unitSeconds[unit] ?? 1)
}
