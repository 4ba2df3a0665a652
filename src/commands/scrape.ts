import type { Command } from 'commander'
import { type Config, readConfig } from '../config.ts'
import { findJobError } from '../db/executions.ts'
import { daysOfJobs } from '../db/jobPages.ts'
import { findJob } from '../db/jobs.ts'
import type { JobErrorRow, JobRow, ScrapeDayRow } from '../db/tables.ts'
import { isTerminal } from '../domain.ts'
import { type Commands, createCommands } from '../engine/commands.ts'
import { createEvents, type JobUpdate } from '../engine/events.ts'
import { startNode } from '../engine/node.ts'
import { createLogger, type Logger } from '../log.ts'
import { formatDays, formatStatus } from '../terminal/days.ts'
import { openProgress } from '../terminal/progress.ts'
import { openRuntime, type Runtime } from './runtime.ts'
import { findTarget, readPlatform, readTransport, readType, type TargetOptions, UsageError } from './scrapeTarget.ts'

interface ScrapeOptions {
  from?: string
  to?: string
  type?: string
  transport?: string
  county?: string
  platform?: string
  json?: true
}

/** The options with their enumerations read. */
interface Asked extends TargetOptions {
  startDate: string | undefined
  endDate: string | undefined
}

export function registerScrape(program: Command): void {
  program
    .command('scrape')
    .description('scrape one site now: start what is needed, show progress, print the result')
    .argument('<target>', 'a saved URL, its id, or STATE/County; an unknown URL with --county and --platform')
    .option('--from <date>', 'first day, YYYY-MM-DD; the suggested range unless told')
    .option('--to <date>', 'last day, YYYY-MM-DD')
    .option('--type <type>', 'which of several sites of a county: its auction type')
    .option('--transport <transport>', "auto, http or browser; the site's own unless told")
    .option('--county <ST/Name>', 'whose an unknown URL is')
    .option('--platform <platform>', 'what an unknown URL is, such as realauction')
    .option('--json', 'print the result as one JSON object')
    .action(async (target: string, options: ScrapeOptions) => {
      try {
        process.exitCode = await scrape(target, options)
      } catch (error) {
        if (!(error instanceof UsageError)) throw error
        console.error(`gavel scrape: ${error.message}`)
        process.exitCode = 2
      }
    })
}

/** Runs one job to its end. Returns the exit code: 0 completed, 1 failed, 130 cancelled by Ctrl-C. */
async function scrape(target: string, options: ScrapeOptions): Promise<number> {
  const asked = readOptions(options)
  const config = readConfig()
  // What the engine does is told by the progress and the result; its log is for when something is wrong.
  const log = createLogger(config.logLevel === 'info' ? 'warn' : config.logLevel, 'gavel')
  const runtime = await openRuntime(config, log, { name: 'gavel scrape', max: 6, migrated: true })
  try {
    const { allowPrivateHosts } = config
    const site = await findTarget({ db: runtime.db, allowPrivateHosts }, target, asked)
    const job = await run(runtime, config, log, {
      scrapeUrlId: site.id,
      startDate: asked.startDate,
      endDate: asked.endDate,
      transport: asked.transport,
    })
    await print(runtime, job, options.json === true)
    if (job.status === 'CANCELLED') return 130
    return job.status === 'COMPLETED' ? 0 : 1
  } finally {
    await runtime.close()
  }
}

function readOptions(options: ScrapeOptions): Asked {
  return {
    startDate: options.from,
    endDate: options.to,
    type: options.type === undefined ? undefined : readType(options.type),
    transport: options.transport === undefined ? undefined : readTransport(options.transport),
    county: options.county,
    platform: options.platform === undefined ? undefined : readPlatform(options.platform),
  }
}

/** Starts a node with one worker, submits the job to it and follows it to its end. Throws UsageError for bad input. */
async function run(
  { databaseUrl, db }: Runtime,
  config: Config,
  log: Logger,
  input: Parameters<Commands['submitJob']>[0],
): Promise<JobRow> {
  await using closing = new AsyncDisposableStack()
  const node = await startNode({ config, databaseUrl, db, log, workers: 1 })
  closing.defer(() => node.stop())
  const events = await createEvents({ databaseUrl, db, log })
  closing.defer(() => events.stop())
  const commands = createCommands({ db, queue: node.queue, config, log })

  const submitted = await commands.submitJob(input, null)
  if (submitted.kind === 'invalid') throw new UsageError(submitted.issues.map(optionIssue).join('; '))
  if (submitted.kind !== 'ok') throw new UsageError(submitted.message)
  const job = submitted.value

  const cancel = () => {
    commands.cancelJob(job.id).catch((error: unknown) => log.error({ err: error }, 'the job could not be cancelled'))
  }
  process.on('SIGINT', cancel)
  process.on('SIGTERM', cancel)
  closing.defer(() => {
    process.off('SIGINT', cancel)
    process.off('SIGTERM', cancel)
  })
  const view = openProgress(process.stderr)
  const signal = new AbortController().signal
  for await (const update of events.watchJob(job.id, { signal })) view.update(progressLine(job, update))
  view.close()
  const ended = await findJob(db, job.id)
  if (!ended || !isTerminal(ended.status)) throw new Error(`job ${job.id} was lost sight of before its end`)
  return ended
}

const optionNames: Readonly<Record<string, string>> = { startDate: '--from', endDate: '--to' }

const optionIssue = ({ path, message }: { path: string[]; message: string }) =>
  `${path.map((step) => optionNames[step] ?? step).join('.')} ${message}`

function progressLine(job: JobRow, update: JobUpdate) {
  return {
    jobId: job.id,
    name: job.name,
    status: update.status,
    datesDone: update.datesDone,
    datesTotal: update.datesTotal,
    rowsProcessed: update.rowsProcessed,
    currentDate: update.currentDate,
    etaSeconds: null,
    nextAttemptAt: update.nextAttemptAt?.toISOString() ?? null,
    errorMessage: update.errorMessage,
  }
}

async function print({ db }: Runtime, job: JobRow, json: boolean): Promise<void> {
  const days = await daysOfJobs(db, [job.id])
  const error = job.endedByErrorId === null ? null : await findJobError(db, job.endedByErrorId)
  if (json) {
    console.log(JSON.stringify(toJson(job, days, error)))
    return
  }
  const seconds = ((job.durationMs ?? 0) / 1000).toFixed(1)
  console.log(`${job.name}  ${formatStatus(job.status)} in ${seconds} s, ${job.rowsSuccess} listings saved`)
  for (const line of formatDays(days)) console.log(line)
  if (error && job.status === 'FAILED') console.log(`${error.code}: ${error.message}`)
}

function toJson(job: JobRow, days: readonly ScrapeDayRow[], error: JobErrorRow | null) {
  return {
    jobId: job.id,
    name: job.name,
    status: job.status,
    attempt: job.attempt,
    rowsSuccess: job.rowsSuccess,
    rowsFailed: job.rowsFailed,
    durationMs: job.durationMs,
    error:
      error && job.status === 'FAILED' ? { code: error.code, category: error.category, message: error.message } : null,
    days: days.map(
      ({ date, outcome, proof, expected, received, saved, rejected, created, updated, unchanged, final }) => ({
        date,
        outcome,
        proof,
        expected,
        received,
        saved,
        rejected,
        created,
        updated,
        unchanged,
        final,
      }),
    ),
  }
}
