import { type Dispatcher, request } from 'undici'
import type { ClaimedDelivery } from '../db/webhookDeliveries.ts'
import { globalId } from '../domain.ts'
import { ScrapeError } from './errors.ts'
import type { Guard } from './fetch/guard.ts'
import { userAgent } from './fetch/userAgent.ts'
import { signedHeaders } from './signature.ts'

/** What one call came to: the status that was answered, or why there is none. */
export type Answer = { status: number } | { status: null; error: string }

/** More of an answer's body is not read. */
const mostAnswerBytes = 16 * 1024

/**
 * Sends one message to its webhook: a POST that follows no redirect and takes at most `timeoutMs`. The dispatcher is
 * one that connects only where the guard lets it. `webhook-id` is the global id of the WebhookDelivery.
 */
export async function deliver(
  delivery: Pick<ClaimedDelivery, 'id' | 'url' | 'body' | 'secret'>,
  by: { guard: Guard; dispatcher: Dispatcher; timeoutMs: number; signal: AbortSignal },
): Promise<Answer> {
  const timeout = AbortSignal.timeout(by.timeoutMs)
  const signal = AbortSignal.any([timeout, by.signal])
  const id = globalId('WebhookDelivery', delivery.id)
  try {
    const { statusCode, body } = await request(by.guard.checkUrl(delivery.url), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': userAgent,
        ...signedHeaders({ ...delivery, id }, new Date()),
      },
      body: delivery.body,
      dispatcher: by.dispatcher,
      signal,
    })
    // The status is the answer; of the body only so much is read that the connection can be used again.
    await body.dump({ limit: mostAnswerBytes, signal }).catch((error: unknown) => body.destroy(error as Error))
    return { status: statusCode }
  } catch (error) {
    if (by.signal.aborted) return { status: null, error: 'the node was stopped' }
    if (timeout.aborted) return { status: null, error: `no answer within ${by.timeoutMs / 1000} s` }
    return { status: null, error: reasonOf(error) }
  }
}

/** Whatever keeps a call from being answered is the answer: it is kept with the delivery and tried again. */
function reasonOf(error: unknown): string {
  if (error instanceof ScrapeError) return error.message
  if (!(error instanceof Error)) return String(error)
  return ('code' in error && typeof error.code === 'string' && error.code) || error.message
}
