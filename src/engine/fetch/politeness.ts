import { setTimeout as sleep } from 'node:timers/promises'
import { openPolitenessStore, type PolitenessStore } from '../../db/politeness.ts'
import type { SitePlatform } from '../../domain.ts'

/** Requests at once and per second to one host:port and to one platform, over all nodes; 0: no limit. */
export interface PolitenessLimits {
  hostConcurrency: number
  hostRps: number
  platformConcurrency: number
  platformRps: number
}

export interface Politeness {
  /**
   * Waits until a request to this host (`host:port`) may start, and answers with what must be called when it has
   * ended. Rejects with the signal's reason, then holding nothing.
   */
  acquire(host: string, signal: AbortSignal): Promise<Release>
  /** Gives back everything that is held. */
  close(): Promise<void>
}

/** Ends a request's turn; calling it again does nothing. */
export type Release = () => Promise<void>

/** One limit: who shares it, how many at once, how many a second. */
interface Limit {
  key: string
  concurrency: number
  rps: number
}

/** Reservations of turns reach no further ahead than this; who finds the queue longer comes back. */
const backlogMs = 10_000

/**
 * Politeness over all jobs, workers and nodes of one database.
 *
 * A turn is a slot of the host, then a slot of the platform (always in this order, so nobody waits in a circle), and
 * then the next free instant of both. Slots are session locks of a connection of one's own: the server frees them
 * when their holder dies. Only who has both slots reserves an instant, so that a reservation lost with its holder
 * delays others by one interval.
 */
export function createPoliteness(options: {
  databaseUrl: string
  limits: PolitenessLimits
  platform: SitePlatform
}): Politeness {
  const { limits, platform } = options
  const store = openPolitenessStore(options.databaseUrl)
  const ofPlatform = { key: `platform:${platform}`, concurrency: limits.platformConcurrency, rps: limits.platformRps }

  return {
    async acquire(host, signal) {
      const ofHost = { key: `host:${host}`, concurrency: limits.hostConcurrency, rps: limits.hostRps }
      const held: string[] = []
      const release = () => store.unlock(held.splice(0))
      try {
        for (const limit of [ofHost, ofPlatform]) {
          if (limit.concurrency > 0) held.push(await takeSlot(store, limit, signal))
        }
        for (const limit of [ofHost, ofPlatform]) {
          if (limit.rps > 0) await takeInstant(store, limit, signal)
        }
        return release
      } catch (error) {
        await release()
        throw error
      }
    },
    close: () => store.close(),
  }
}

/** Polls until one of the limit's slots is free; bounded by the signal alone, which ends with the attempt. */
async function takeSlot(store: PolitenessStore, limit: Limit, signal: AbortSignal): Promise<string> {
  for (;;) {
    signal.throwIfAborted()
    const slot = await patiently(() => store.tryLockOne(slotKeys(limit)), signal)
    if (slot !== null) return slot
    await pause(50 + Math.random() * 100, signal)
  }
}

async function takeInstant(store: PolitenessStore, limit: Limit, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const waitMs = await patiently(() => store.reserve(limit.key, 1000 / limit.rps, backlogMs), signal)
    if (waitMs !== null) return pause(waitMs, signal)
    await pause(backlogMs / 10, signal)
  }
}

/** A database that restarts is waited for; the store has discarded the connection that failed. Throws the last error. */
async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const ms of [250, 1000, 4000, 8000]) {
    try {
      return await work()
    } catch {
      await pause(ms, signal)
    }
  }
  return work()
}

/** The limit's slots, starting anywhere so that all are tried alike. */
function slotKeys(limit: Limit): string[] {
  const keys = Array.from({ length: limit.concurrency }, (_, slot) => `${limit.key}:${slot}`)
  const start = Math.floor(Math.random() * keys.length)
  return [...keys.slice(start), ...keys.slice(0, start)]
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0) return
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    // timers/promises wraps the reason in an AbortError of its own.
    signal.throwIfAborted()
    throw error
  }
}
