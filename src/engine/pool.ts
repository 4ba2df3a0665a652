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
  log: Logger
}

/** A worker is replaced after so many jobs, or when it has grown so large: leaks of browsers and parsers end there. */
const jobsPerWorker = 50
const largestRssBytes = 1.5 * 1024 ** 3

const readyMs = 30_000
const acquireMs = 60_000
const firstBackoffMs = 250
const longestBackoffMs = 30_000

/** Keeps `size` workers alive. One that dies is replaced at once; starts that fail are repeated with backoff. */
export function createPool({ size, log, ...settings }: PoolOptions): Pool {
  const children = new Set<Child>()
  const idle: Child[] = []
  const waiting: ((child: Child) => void)[] = []
  const jobs = new Map<Child, string>()
  const stopping = new AbortController()
  let failures = 0

  function start(): void {
    if (stopping.signal.aborted || children.size >= size) return
    const child = startChild({ ...settings, readyMs, log })
    children.add(child)
    supervise(child).catch((error: unknown) => log.error({ err: error }, 'a worker could not be supervised'))
  }

  async function supervise(child: Child): Promise<void> {
    const wasReady = await child.ready.then(
      () => true,
      () => false,
    )
    if (wasReady) {
      failures = 0
      offer(child)
    }
    const how = await child.gone
    children.delete(child)
    const at = idle.indexOf(child)
    if (at >= 0) idle.splice(at, 1)
    if (stopping.signal.aborted) return
    if (!wasReady) {
      failures += 1
      log.error(how)
      const pause = Math.min(firstBackoffMs * 2 ** failures, longestBackoffMs)
      await delay(pause, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
    start()
  }

  function offer(child: Child): void {
    const next = waiting.shift()
    if (next) next(child)
    else idle.push(child)
  }

  for (let n = 0; n < size; n += 1) start()

  return {
    async acquire(signal) {
      const child = idle.shift()
      if (child) return child
      const { promise, resolve, reject } = Promise.withResolvers<Child>()
      waiting.push(resolve)
      const giveUp = () => reject(new Error('no worker was ready'))
      const timer = setTimeout(giveUp, acquireMs)
      const ends = AbortSignal.any([signal, stopping.signal])
      ends.addEventListener('abort', giveUp, { once: true })
      if (ends.aborted) giveUp()
      try {
        return await promise
      } finally {
        clearTimeout(timer)
        ends.removeEventListener('abort', giveUp)
        const at = waiting.indexOf(resolve)
        if (at >= 0) waiting.splice(at, 1)
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

    async stop(graceMs) {
      stopping.abort()
      await Promise.all(
        [...children].map(async (child) => {
          const deadline = delay(graceMs, undefined, { ref: false })
          if (child.state === 'BUSY') await Promise.race([child.gone, deadline])
          if (child.state !== 'GONE') await child.stop()
        }),
      )
    },
  }
}
