import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '../log.ts'

/** Work that is looked for again and again. */
export interface Repeated {
  /** Looks again at once. */
  wake(): void
  /** Ends it; resolves when a pass under way is over. */
  stop(): Promise<void>
}

/**
 * Runs `pass`, waits for as many milliseconds as it answers, at most `longestMs`, and runs it again, until it is
 * stopped. A pass that throws is logged and repeated after a second.
 */
export function repeat(options: {
  what: string
  pass: () => Promise<number>
  longestMs: number
  log: Logger
}): Repeated {
  const stopping = new AbortController()
  let awake = new AbortController()

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      awake = new AbortController()
      let wait: number
      try {
        wait = await options.pass()
      } catch (error) {
        options.log.warn({ err: error }, `${options.what} failed`)
        wait = afterFaultMs
      }
      const ms = Math.ceil(Math.min(Math.max(wait, shortestMs), options.longestMs))
      const signal = AbortSignal.any([stopping.signal, awake.signal])
      await sleep(ms, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
  }
  const running = run()

  return {
    wake: () => awake.abort(),
    async stop() {
      stopping.abort()
      await running
    },
  }
}

const afterFaultMs = 1_000
/** Keeps a clock that is a little off from making the loop spin. */
const shortestMs = 20
