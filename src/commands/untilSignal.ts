import type { Logger } from '../log.ts'

/**
 * Waits for SIGINT or SIGTERM. After the first, a second one ends the process at once (exit 130 or 143): the way out
 * of a drain that takes too long.
 */
export function untilSignal(log: Logger): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>()
  let asked = false
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (asked) process.exit(signal === 'SIGINT' ? 130 : 143)
      asked = true
      log.info({ signal }, 'stopping; once more ends at once')
      resolve(signal)
    })
  }
  return promise
}
