import { setTimeout as delay } from 'node:timers/promises'
import type { WorkerRow } from '../db/tables.ts'
import type { Logger } from '../log.ts'
import { type Child, startChild } from './child.ts'

export interface Pool {
  /** Takes an idle worker, or waits for one. Rejects when none gets ready in time, or the signal aborts. */
  acquire(signal: AbortSignal): Promise<Child>
  /** Gives a worker back. One that is dead, old or large is replaced. */
  release(child: Child): void
  /** Notes what a worker does, for the rows of `workers`. */
  assign(child: Child, jobId: string): void
  workers(): WorkerRow[]
  /** Why no worker can be started, while the circuit is open. */
  readonly fault: string | null
  /** Ends all workers: idle ones at once, busy ones when they are given back, or killed after `graceMs`. */
  stop(graceMs: number): Promise<void>
}

export interface PoolOptions {
  size: number
  /** The module a worker runs. */
  entry: URL
  env: NodeJS.ProcessEnv
  /** How long a worker may be silent. */
  silentMs: number
  /** Hears the reason when the circuit opens, and null when it closes. */
  onFault: (fault: string | null) => void
  log: Logger
}

/** A worker is replaced after so many jobs, or when it has grown so large: leaks of browsers and parsers end there. */
const jobsPerWorker = 50
const largestRssBytes = 1.5 * 1024 ** 3

const readyMs = 30_000
const acquireMs = 60_000
const firstBackoffMs = 250
const longestBackoffMs = 30_000
const failuresToOpen = 3
const bornDeadMs = 2_000

/**
 * Keeps `size` workers alive. One that dies is replaced at once; starts that fail are repeated with growing pauses.
 *
 * When the third start in a row has failed and no worker is left, the circuit opens: whoever waits for a worker is
 * let go, the reason stands in `fault`, and one start at a time is tried, until one is ready and closes it.
 */
export function createPool({ size, log, onFault, ...settings }: PoolOptions): Pool {
  const children = new Set<Child>()
  const idle: Child[] = []
  const waiting = new Map<(child: Child) => void, () => void>()
  const jobs = new Map<Child, string>()
  const stopping = new AbortController()
  let failures = 0
  let circuit = null as { fault: string; prober: symbol; closed: PromiseWithResolvers<void> } | null

  async function keepOne(): Promise<void> {
    const self = Symbol('slot')
    let inARow = 0
    while (!stopping.signal.aborted) {
      if (circuit && circuit.prober !== self) {
        await circuit.closed.promise
        continue
      }
      const failure = await liveOne()
      if (stopping.signal.aborted) return
      inARow = failure === null ? 0 : inARow + 1
      if (failure === null) continue
      failures += 1
      log.error({ failures }, failure)
      if (circuit) circuit.fault = failure
      else if (failures >= failuresToOpen && ![...children].some(isReady)) open(failure, self)
      const pause = Math.min(firstBackoffMs * 2 ** inARow, longestBackoffMs)
      await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  /** One worker from its start to its end. Answers why it could not be started, null when it could. */
  async function liveOne(): Promise<string | null> {
    let child: Child
    try {
      child = startChild({ ...settings, readyMs, log })
    } catch (error) {
      // No memory, no room for its folder: what the system says of it is the reason.
      return `a worker could not be started: ${error instanceof Error ? error.message : String(error)}`
    }
    children.add(child)
    const wasReady = await child.ready.then(
      () => true,
      () => false,
    )
    if (wasReady) {
      close()
      offer(child)
    }
    const readyAt = Date.now()
    const how = await child.gone
    children.delete(child)
    const at = idle.indexOf(child)
    // One that dies in its job costs that an attempt; one that dies before it has any is as good as not started.
    const diedIdle = at >= 0 && child.jobsDone === 0 && Date.now() - readyAt < bornDeadMs
    if (at >= 0) idle.splice(at, 1)
    return wasReady && !diedIdle ? null : how
  }

  function open(fault: string, prober: symbol): void {
    circuit = { fault, prober, closed: Promise.withResolvers<void>() }
    log.error({ fault }, 'no worker can be started: this node takes no jobs')
    for (const giveUp of waiting.values()) giveUp()
    onFault(fault)
  }

  function close(): void {
    failures = 0
    if (!circuit) return
    circuit.closed.resolve()
    circuit = null
    log.info('workers can be started again')
    onFault(null)
  }

  function offer(child: Child): void {
    const next = waiting.keys().next().value
    if (!next) {
      idle.push(child)
      return
    }
    waiting.delete(next)
    next(child)
  }

  /** One that has died is still here until everything of it is gone. */
  function takeIdle(): Child | undefined {
    let child = idle.shift()
    while (child && child.state !== 'IDLE') child = idle.shift()
    return child
  }

  for (let n = 0; n < size; n += 1) {
    keepOne().catch((error: unknown) => log.error({ err: error }, 'a worker could not be supervised'))
  }

  return {
    async acquire(signal) {
      const child = takeIdle()
      if (child) return child
      const { promise, resolve, reject } = Promise.withResolvers<Child>()
      const giveUp = () => reject(new Error('no worker was ready'))
      waiting.set(resolve, giveUp)
      if (circuit) giveUp()
      const timer = setTimeout(giveUp, acquireMs)
      const ends = AbortSignal.any([signal, stopping.signal])
      ends.addEventListener('abort', giveUp, { once: true })
      if (ends.aborted) giveUp()
      try {
        return await promise
      } finally {
        clearTimeout(timer)
        ends.removeEventListener('abort', giveUp)
        waiting.delete(resolve)
      }
    },

    release(child) {
      jobs.delete(child)
      if (child.state === 'GONE') return
      const worn = child.jobsDone >= jobsPerWorker || child.rssBytes > largestRssBytes
      if (stopping.signal.aborted || worn || child.state !== 'IDLE') {
        child.stop().catch((error: unknown) => log.error({ err: error, pid: child.pid }, 'a worker did not end'))
      } else {
        offer(child)
      }
    },

    assign(child, jobId) {
      jobs.set(child, jobId)
    },

    workers: () =>
      [...children].flatMap((child) => {
        const { pid, state, jobsDone, rssBytes } = child
        return state === 'GONE' ? [] : [{ pid, state, jobId: jobs.get(child) ?? null, jobsDone, rssBytes }]
      }),

    get fault() {
      return circuit?.fault ?? null
    },

    async stop(graceMs) {
      stopping.abort()
      circuit?.closed.resolve()
      await Promise.all(
        [...children].map(async (child) => {
          const deadline = delay(graceMs, undefined, { ref: false })
          if (child.state === 'BUSY') await Promise.race([child.gone, deadline])
          await child.stop()
        }),
      )
    },
  }
}

function isReady(child: Child): boolean {
  return child.state === 'IDLE' || child.state === 'BUSY'
}
