import { stillUsable } from '../db/apiKeys.ts'
import type { Database } from '../db/database.ts'
import type { SignedIn } from '../engine/people.ts'
import type { Logger } from '../log.ts'
import { limits } from './limits.ts'

/** What is open on behalf of keys: sockets, and answers under way. */
export interface Sessions {
  /**
   * `close` is called when the key is no longer good, `stop` (the same unless told) when the server stops. The answer
   * ends the session.
   */
  open(signedIn: SignedIn, close: () => void, stop?: () => void): () => void
  /** Tells all to stop, and looks no longer. */
  stop(): void
}

/**
 * Looks at the keys of everything that is open, and closes what was opened with a key that is revoked or expired, or
 * whose user is no longer active or has another role by now: whoever signs in again gets what that may do.
 */
export function createSessions({ db, log }: { db: Database; log: Logger }): Sessions {
  const sessions = new Set<{ signedIn: SignedIn; close: () => void; stop: () => void }>()
  let checking = false

  async function check(): Promise<void> {
    const ids = [...sessions].flatMap((session) => session.signedIn.apiKeyId ?? [])
    const good = await stillUsable(db, [...new Set(ids)])
    for (const session of sessions) {
      const { apiKeyId, user } = session.signedIn
      // Opened while the database answered: not asked for yet.
      if (apiKeyId === null || good.get(apiKeyId) === user.role || !ids.includes(apiKeyId)) continue
      sessions.delete(session)
      session.close()
    }
  }

  const timer = setInterval(() => {
    if (checking || sessions.size === 0) return
    checking = true
    check()
      .catch((error: unknown) => log.warn({ err: error }, 'the keys of open sockets could not be checked'))
      .finally(() => {
        checking = false
      })
  }, limits.keyCheckMs)

  return {
    open(signedIn, close, stop = close) {
      const session = { signedIn, close, stop }
      sessions.add(session)
      return () => sessions.delete(session)
    },
    stop() {
      clearInterval(timer)
      for (const session of sessions) session.stop()
      sessions.clear()
    },
  }
}
