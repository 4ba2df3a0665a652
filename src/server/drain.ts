import { limits } from './limits.ts'

/**
 * Watches whether a client takes what is sent to it. `waiting` tells whether something waits for it; when it has
 * taken nothing for `limits.drainMs`, it is dropped.
 */
export function watchDrain(client: { waiting: () => boolean; drop: () => void }): {
  /** The client has taken something. */
  progressed(): void
  stop(): void
} {
  let since = performance.now()
  const timer = setInterval(() => {
    if (!client.waiting()) since = performance.now()
    else if (performance.now() - since >= limits.drainMs) {
      clearInterval(timer)
      client.drop()
    }
  }, limits.drainMs / 5)
  return {
    progressed() {
      since = performance.now()
    },
    stop: () => clearInterval(timer),
  }
}
