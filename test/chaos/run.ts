import { randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createLogger } from '../../src/log.ts'
import { openApi } from './api.ts'
import { type Check, checkDatabase, checkJobs, checkTruth, checkWatched } from './checks.ts'
import { createJobs, type Jobs, saveSites } from './jobs.ts'
import { checkLeftovers, isListened } from './leftovers.ts'
import { type Nodes, startNodes } from './nodes.ts'
import { type ChaosPostgres, openPostgres } from './postgres.ts'
import { openReceiver } from './receiver.ts'
import { openSites } from './sites.ts'
import { type Blows, strike } from './strike.ts'
import { createWatchers } from './watchers.ts'
import { checkWebhooks, finishDeliveries, saveWebhook } from './webhooks.ts'

export interface ChaosOptions {
  /** How long the blows fall. What is left then has `patienceMs` to finish. */
  durationMs: number
  seed: number
  sites: number
  patienceMs: number
  /** Ends the run before its time: it rejects, with everything cleared away. */
  signal: AbortSignal
  /** Hears what is done. */
  tell: (text: string) => void
}

export interface ChaosReport {
  actions: Blows
  figures: Readonly<Record<string, number>>
  checks: readonly Check[]
  /** What the nodes logged as errors, with how often. */
  errors: ReadonlyMap<string, number>
  /** The nodes' logs, kept where a check has failed. */
  logs: string | null
}

/** Of jobs, at most. */
const jobsPerSecond = 5

/**
 * Runs jobs on sample sites over two nodes while processes are killed and frozen and sites err, lets everything
 * finish, and checks that nothing was lost, doubled or left behind.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { durationMs, seed, patienceMs, signal: stop, tell } = options
  const folder = await mkdtemp(join(tmpdir(), 'gavel-chaos-'))
  const [tmp, logs] = [join(folder, 'tmp'), join(folder, 'logs')]
  for (const path of [tmp, logs]) await mkdir(path)
  const log = createLogger('silent', 'chaos')
  const closing = new AsyncDisposableStack()
  closing.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  try {
    const sites = await openSites(options.sites, seed)
    closing.defer(async () => {
      for (const site of sites) await site.close()
    })
    const postgres = await openPostgres(join(folder, 'data'), log)
    closing.defer(() => postgres.close())
    const receiver = await openReceiver(seed)
    closing.defer(() => receiver.close())
    const key = `gavel_chaos_${randomBytes(18).toString('base64url')}`
    const nodes = startNodes(
      settings({ folder, tmp, key, databaseUrl: postgres.url, hosts: [...sites, receiver] }),
      logs,
    )
    closing.defer(() => nodes.stop())
    const api = openApi(() => nodes.url(), key)
    const scrapeUrlIds = await saveSites(
      api,
      sites.map((site) => site.url),
    )
    await saveWebhook(api, receiver)
    await nodes.ready()
    const jobs = createJobs(api, { scrapeUrlIds, seed, most: Math.ceil((durationMs / 1000) * jobsPerSecond) })
    const watchers = createWatchers(api)
    watchers.watchChanges()
    tell(`${sites.length} sites, two nodes and their Postgres are up`)

    const { actions, problems } = await strike({ api, postgres, nodes, sites, jobs, watchers }, options)
    await nodes.ready()
    tell(`the blows are over, ${jobs.submitted.length} jobs were submitted; what is left may finish`)

    const began = performance.now()
    const deadline = Date.now() + patienceMs
    await finish(jobs, deadline, stop)
    tell(`${((performance.now() - began) / 1000).toFixed(1)} s: all days of every site once more`)
    await jobs.submitWhole()
    const left = await finish(jobs, deadline, stop)
    tell(`${((performance.now() - began) / 1000).toFixed(1)} s: the watchers read to the end`)
    const [{ newestChange } = { newestChange: 0 }] = await postgres.query<{ newestChange: number }>(
      'select position::int as "newestChange" from prospect_change_counter',
    )
    await watchers.finish({ newestChange, deadline: Date.now() + patienceMs })
    tell(`${((performance.now() - began) / 1000).toFixed(1)} s: the webhook is told the rest`)
    await finishDeliveries(postgres, Date.now() + patienceMs)
    const settledMs = Math.round(performance.now() - began)
    tell(left === 0 ? 'everything is finished; checking' : `${left} jobs do not finish; checking`)

    const checks: Check[] = [
      ...(await checkDatabase(postgres)),
      { name: 'every request was answered in the end', problems },
      await checkJobs(postgres, jobs.submitted),
      ...(await checkTruth(api, sites, scrapeUrlIds)),
      await checkWatched(postgres, watchers.watched),
      ...(await checkWebhooks(postgres, receiver)),
      {
        name: 'the watcher of prospects has heard every change',
        problems: watchers.changes === newestChange ? [] : [`${watchers.changes} of ${newestChange}`],
      },
      {
        name: 'no watcher was told a line or a change twice, or a sequence that does not grow',
        problems: watchers.problems,
      },
    ]
    const figures = {
      ...(await figuresOf(postgres)),
      settledMs,
      resumed: watchers.resumed,
      webhookCalls: receiver.calls,
      ...startsOf(nodes),
    }
    await nodes.stop()
    await postgres.close()
    checks.push(
      { name: 'no node ended but by our hand, and those told to stop did', problems: nodes.problems },
      ...(await checkLeftovers({ tmp, urls: nodes.urls })),
      {
        name: 'the embedded Postgres has stopped',
        problems: (await isListened(postgres.url)) ? [`${new URL(postgres.url).host} is still listened on`] : [],
      },
    )
    const failed = checks.some((check) => check.problems.length > 0)
    return { actions, figures, checks, errors: nodes.errors, logs: failed ? await keep(logs) : null }
  } catch (error) {
    if (!stop.aborted) tell(`the logs of the nodes are in ${await keep(logs)}`)
    throw error
  } finally {
    await closing.disposeAsync()
  }
}

/** Waits until no job is left that has not completed or been cancelled; how many there are at the deadline. */
async function finish(jobs: Jobs, deadline: number, stop: AbortSignal): Promise<number> {
  for (;;) {
    const left = await jobs.finish()
    if (left === 0 || Date.now() > deadline) return left
    await delay(500, undefined, { signal: stop })
  }
}

function settings(run: {
  folder: string
  tmp: string
  key: string
  databaseUrl: string
  hosts: readonly { host: string }[]
}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    DATABASE_URL: run.databaseUrl,
    HOST: '127.0.0.1',
    LOG_LEVEL: 'info',
    // What they leave is found by it.
    TMPDIR: run.tmp,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'node-compile-cache'),
    GAVEL_DATA_DIR: join(run.folder, 'data'),
    GAVEL_CSV_DIR: join(run.folder, 'csv'),
    GAVEL_ADMIN_KEY: run.key,
    GAVEL_ALLOW_PRIVATE_HOSTS: run.hosts.map(({ host }) => host).join(','),
    GAVEL_HOST_CONCURRENCY: '0',
    GAVEL_HOST_RPS: '0',
    GAVEL_PLATFORM_CONCURRENCY: '0',
    GAVEL_PLATFORM_RPS: '0',
    GAVEL_STALE_AFTER: '10',
    GAVEL_RETRY_DELAYS: '0,1,2',
  }
}

async function figuresOf(postgres: ChaosPostgres): Promise<Record<string, number>> {
  const ends = await postgres.query<{ code: string; count: number }>(`
    select coalesce(stats->>'code', status) as code, count(*)::int from executions group by 1 order by 1`)
  const [row] = await postgres.query<Record<string, number>>(`
    select (select count(*)::int from jobs) as jobs, (select count(*)::int from executions) as executions,
      (select count(*)::int from prospects) as prospects, (select count(*)::int from prospect_changes) as changes,
      (select count(*)::int from job_log_lines) as "logLines",
      (select coalesce(max(extract(epoch from finished_at - heartbeat_at) * 1000), 0)::int from executions
        where stats->>'code' = 'WORKER_LOST') as "longestUntilTakenForDeadMs"`)
  return { ...row, ...Object.fromEntries(ends.map(({ code, count }) => [`executions ${code}`, count])) }
}

const startsOf = ({ starts }: Nodes): Record<string, number> => ({
  nodeStarts: starts.all,
  failedStarts: starts.failed,
})

/** Moves the logs to a folder of their own. */
async function keep(logs: string): Promise<string> {
  const kept = await mkdtemp(join(tmpdir(), 'gavel-chaos-logs-'))
  await cp(logs, kept, { recursive: true })
  return kept
}
