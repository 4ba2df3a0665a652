import type { Database } from '../db/database.ts'
import { type ClaimedDelivery, claimDelivery, endDeliveries, settleDelivery } from '../db/webhookDeliveries.ts'
import { lockWebhook, updateWebhook } from '../db/webhooks.ts'
import type { Logger } from '../log.ts'
import { type Answer, deliver } from './deliver.ts'
import { createGuard, type Guard } from './fetch/guard.ts'
import { guardedAgent } from './fetch/http.ts'
import { type Repeated, repeat } from './repeat.ts'

/** When a delivery that failed is tried again, and how long a node has for one try. */
export interface DeliveryTimes {
  /** Seconds before each further try; none is left after the last. */
  delaysSeconds: readonly number[]
  /** Seconds after which a node that said nothing of its try is taken for dead; longer than a try can take. */
  leaseSeconds: number
  timeoutMs: number
}

const minutes = 60
const hours = 60 * minutes

/** Eight tries within 24 hours: each delay grows by up to a twentieth, 23 h 43 min in all. */
export const deliveryTimes: DeliveryTimes = {
  delaysSeconds: [5, 5 * minutes, 30 * minutes, 2 * hours, 4 * hours, 6 * hours, 10 * hours],
  leaseSeconds: 30,
  timeoutMs: 10_000,
}

/** So that what failed together is not tried again together. */
const jitter = 1 / 20

const pollMs = 1_000
/** Calls at once from this node, and of them to one webhook: a slow receiver does not hold up the others. */
const mostCalls = 8
const mostCallsToOne = 2
/** What calls under way may still take when the node is stopped. */
const graceMs = 2_000

/**
 * Delivers from this node, one of many, what was queued for webhooks. A due delivery is claimed by one node for a
 * while; a node that dies lets it go. Every message arrives at least once or is given up; the order is not promised.
 */
export function startWebhooks(options: {
  db: Database
  allowPrivateHosts: readonly string[]
  log: Logger
  times?: DeliveryTimes
}): Repeated {
  const { db, log, times = deliveryTimes } = options
  const guard: Guard = createGuard({ allow: options.allowPrivateHosts })
  const dispatcher = guardedAgent(guard)
  const stopping = new AbortController()
  const calls = new Map<Promise<void>, string>()

  async function call(claimed: ClaimedDelivery): Promise<void> {
    const { id, webhookId, attempt } = claimed
    const { timeoutMs } = times
    const answer = await deliver(claimed, { guard, dispatcher, timeoutMs, signal: stopping.signal })
    await settle(db, claimed, answer, times.delaysSeconds)
    log.debug({ webhookId, deliveryId: id, attempt, ...answer }, 'webhook called')
  }

  const repeated = repeat({
    what: 'delivering to webhooks',
    longestMs: pollMs,
    log,
    async pass() {
      while (calls.size < mostCalls) {
        const counts = Map.groupBy(calls.values(), (webhookId) => webhookId)
        const except = [...counts].flatMap(([id, open]) => (open.length >= mostCallsToOne ? [id] : []))
        const tries = times.delaysSeconds.length + 1
        const claimed = await claimDelivery(db, { leaseSeconds: times.leaseSeconds, tries, except })
        if (!claimed) break
        const under = call(claimed)
          .catch((error: unknown) =>
            log.warn({ err: error, deliveryId: claimed.id }, 'a delivery could not be settled'),
          )
          .finally(() => {
            calls.delete(under)
            repeated.wake()
          })
        calls.set(under, claimed.webhookId)
      }
      return pollMs
    },
  })

  return {
    wake: () => repeated.wake(),
    async stop() {
      await repeated.stop()
      const deadline = setTimeout(() => stopping.abort(), graceMs)
      await Promise.all(calls.keys())
      clearTimeout(deadline)
      await dispatcher.destroy()
    },
  }
}

/** Notes what came of a try. 2xx is success; 410 ends the webhook, as the specification asks. */
async function settle(
  db: Database,
  claimed: ClaimedDelivery,
  answer: Answer,
  delaysSeconds: readonly number[],
): Promise<void> {
  const { status } = answer
  if (status !== null && status >= 200 && status < 300) {
    await settleDelivery(db, claimed, { status, error: null, retrySeconds: null })
    return
  }
  const reason = status === null ? answer.error : `HTTP ${status}`
  if (status === 410) {
    await db.transaction().execute(async (trx) => {
      if (!(await lockWebhook(trx, claimed.webhookId))) return
      await updateWebhook(trx, claimed.webhookId, { active: false })
      await endDeliveries(trx, claimed.webhookId, `${reason}: the webhook was made inactive`)
    })
  }
  const delay = delaysSeconds[claimed.attempt - 1]
  const retrySeconds = status === 410 || delay === undefined ? null : delay * (1 + Math.random() * jitter)
  const error = retrySeconds === null && status !== 410 ? `${reason}; given up after ${claimed.attempt} tries` : reason
  await settleDelivery(db, claimed, { status, error, retrySeconds })
}
