import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from '../config.ts'
import { FencedError } from '../db/changeJob.ts'
import { isConnectionLoss, throughConnectionLoss } from '../db/connectionLoss.ts'
import type { Database } from '../db/database.ts'
import { beatExecutions, closedAmong, closedChannel } from '../db/executions.ts'
import { type Listener, listen } from '../db/listen.ts'
import type { WorkerRow } from '../db/tables.ts'
import { beatNode, removeNode } from '../db/workerNodes.ts'
import type { Logger } from '../log.ts'
import { watchBrowser } from './browserWatch.ts'
import type { Child, ChildEnd } from './child.ts'
import { endExecution, lostWorker, openExecution } from './executions.ts'
import { watchLosses } from './lossWatch.ts'
import { createPool } from './pool.ts'
import type { RunOutcome } from './protocol.ts'
import { putOffWithoutBrowser } from './putOff.ts'
import { type Delivery, openQueue, type Queue } from './queue.ts'
import { recoverStaleJobs } from './recovery.ts'
import { workerEnv } from './workerEnv.ts'
import { sweepWorkerFolders } from './workerFolder.ts'

/** This process's part in running jobs. */
export interface Node {
  readonly name: string
  readonly queue: Queue
  workers(): WorkerRow[]
  /** Takes no new work, lets running jobs end within `graceMs`, ends those that do not, and leaves nothing open. */
  stop(graceMs?: number): Promise<void>
}

const beatMs = 2_000
const defaultGraceMs = 5_000

/**
 * Starts the queue and, with `workers` above 0, a pool of child processes that run jobs, the node's row in
 * worker_nodes, and an ear for executions that are closed elsewhere. `workerEntry` is the module a worker runs: tests
 * bring one with sites of their own.
 */
export async function startNode(options: {
  config: Config
  databaseUrl: string
  db: Database
  log: Logger
  workers: number
  workerEntry?: URL
}): Promise<Node> {
  const { config, databaseUrl, db, log, workers } = options
  const name = `${hostname()}-${process.pid}-${randomBytes(2).toString('hex')}`
  const { staleAfterSeconds } = config
  const queue = await openQueue({ db, databaseUrl, staleAfterSeconds, worker: workers > 0, log })
  if (workers === 0) {
    return { name, queue, workers: () => [], stop: async () => await queue.stop() }
  }

  await sweepWorkerFolders(log).catch((error: unknown) => log.warn({ err: error }, 'no folder could be looked for'))
  const deps = { db, queue, retryDelaysSeconds: config.retryDelaysSeconds }
  const running = new Map<string, { closed: AbortController; isOpen: boolean }>()
  const deliveries = new Set<Promise<void>>()
  const stopping = new AbortController()
  const stopClosed = async (): Promise<void> => {
    const open = [...running].filter(([, run]) => run.isOpen).map(([id]) => id)
    if (open.length === 0) return
    for (const id of await closedAmong(db, open)) running.get(id)?.closed.abort()
  }
  const listener: Listener = await listen({
    databaseUrl,
    channel: closedChannel,
    log,
    onNotification: (executionId) => running.get(executionId)?.closed.abort(),
    // What was closed while nobody listened.
    onConnect() {
      stopClosed().catch((error: unknown) => log.warn({ err: error }, 'closed executions could not be looked for'))
    },
  })
  const env = workerEnv(config, databaseUrl)
  const browser = watchBrowser({ env, log })
  const pool = createPool({
    size: workers,
    entry: options.workerEntry ?? new URL('worker.ts', import.meta.url),
    env,
    silentMs: staleAfterSeconds * 1000,
    onFault: takeOrWait,
    log,
  })
  const losses = watchLosses({ log, onChange: takeOrWait })

  async function handle(delivery: Delivery): Promise<void> {
    const { missing } = browser
    if (missing && (await putOffWithoutBrowser(deps, delivery, missing))) return
    const child = await pool.acquire(delivery.signal)
    // Known before it is opened, so that a cancel that follows at once finds it here.
    const executionId = randomUUID()
    const run = { closed: new AbortController(), isOpen: false }
    running.set(executionId, run)
    try {
      const worker = { executionId, node: name, pid: child.pid }
      const opened = await throughConnectionLoss(
        async () => await openExecution(deps, delivery, worker),
        delivery.signal,
      )
      if (!opened) return
      run.isOpen = true
      pool.assign(child, opened.job.id)
      const deadline = Date.now() + opened.job.timeoutSeconds * 1000
      const signal = AbortSignal.any([delivery.signal, run.closed.signal])
      const end = await child.run(executionId, { deadline, signal })
      if (end.kind === 'done') losses.done()
      if (end.kind === 'lost') losses.lost(opened.job.id, end.message)
      const outcome = outcomeOf(end, child, opened.job.timeoutSeconds)
      if (outcome.kind === 'fenced') return
      if (outcome.kind === 'failed' && outcome.error.code === 'NO_BROWSER') browser.isMissing(outcome.error.message)
      const decision = await throughConnectionLoss(
        async () => await endExecution(deps, executionId, outcome),
        stopping.signal,
      )
      log.info({ jobId: opened.job.id, executionId, decision: decision.kind }, 'execution ended')
    } catch (error) {
      if (!(error instanceof FencedError)) {
        log.error({ err: error, jobId: delivery.jobId, executionId }, 'a run could not be started or ended')
        throw error
      }
      log.info({ executionId }, 'execution was closed meanwhile')
    } finally {
      running.delete(executionId)
      pool.release(child)
    }
  }

  /** Slots are made in rounds, one after each pause; those of an earlier round end with what they run. */
  let round = 0
  const deliverIn =
    (itsRound: number) =>
    async (delivery: Delivery): Promise<void> => {
      const handled = handle(delivery)
      deliveries.add(handled)
      try {
        await handled
      } finally {
        deliveries.delete(handled)
        // Its slot has ended, and its worker is free for one of this round.
        if (itsRound !== round) inTurn(addSlot)
      }
    }
  async function addSlot(): Promise<void> {
    if (takes) await queue.work(1, deliverIn(round))
  }
  let takes = false
  let taking = Promise.resolve()
  const fault = (): string | null => pool.fault ?? losses.fault
  /** Takes jobs, or lets them wait in the queue, and for other nodes: in the order in which it is asked to. */
  function takeOrWait(): void {
    inTurn(turnQueue)
    beatSoon()
  }
  function inTurn(tell: () => Promise<void>): void {
    taking = taking.then(tell).catch((error: unknown) => {
      log.error({ err: error }, 'the queue was not told whether to give jobs')
    })
  }
  async function turnQueue(): Promise<void> {
    const wanted = fault() === null && !stopping.signal.aborted
    if (wanted === takes) return
    takes = wanted
    if (!wanted) return await queue.stopTaking()
    round += 1
    // What still runs from before the pause has its worker: no entry is taken that none is free for.
    await queue.work(workers - deliveries.size, deliverIn(round))
  }

  const beat = async (): Promise<void> => {
    await beatNode(db, name, { workers: pool.workers(), fault: fault() ?? browser.missing?.reason ?? null })
    await beatExecutions(db, [...running.keys()])
    // A notification may be lost with its connection.
    await stopClosed()
    // Those of nodes that are gone: their queue entries may stand behind others of the same site.
    const recovered = await recoverStaleJobs({ ...deps, staleAfterSeconds })
    if (recovered.kind !== 'ok') throw new Error('the stale executions could not be looked for')
    for (const job of recovered.value.jobs)
      log.warn({ jobId: job.id, status: job.status }, 'took over from a lost worker')
  }
  let beating = null as Promise<void> | null
  let beatAgain = false
  const beatSoon = (): void => {
    beatAgain = beating !== null
    beating ??= beat()
      .catch((error: unknown) => log.warn({ err: error }, 'the node could not tell that it is alive'))
      .finally(() => {
        beating = null
        if (beatAgain) beatSoon()
      })
  }
  const timer = setInterval(beatSoon, beatMs)
  takeOrWait()
  await taking
  await beating
  log.info({ node: name, workers }, 'node started')

  return {
    name,
    queue,
    workers: () => pool.workers(),
    async stop(graceMs = defaultGraceMs) {
      stopping.abort()
      takeOrWait()
      await taking
      await pool.stop(graceMs)
      await Promise.allSettled(deliveries)
      browser.stop()
      losses.stop()
      clearInterval(timer)
      await listener.stop()
      await queue.stop()
      beatAgain = false
      await beating
      await removeNode(db, name).catch((error: unknown) => {
        // Its row is then one of a node that has gone silent.
        if (!isConnectionLoss(error)) throw error
        log.warn({ err: error }, 'the node was stopped without the database')
      })
    },
  }
}

/** What came of a run, in the words of the engine. */
function outcomeOf(end: ChildEnd, child: Child, timeoutSeconds: number): RunOutcome {
  switch (end.kind) {
    case 'done':
      return end.outcome
    case 'aborted':
      // Whoever closed the execution, or took the claim on it, has the word.
      return { kind: 'fenced' }
    case 'lost':
      return { kind: 'failed', error: lostWorker(end.message), stages: null }
    case 'timeout': {
      const message = `worker ${child.pid} was ended after ${timeoutSeconds} s`
      return { kind: 'failed', error: { ...lostWorker(message), code: 'TIMEOUT' }, stages: null }
    }
    default:
      return end satisfies never
  }
}
