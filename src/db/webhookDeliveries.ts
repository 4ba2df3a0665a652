import { sql } from 'kysely'
import type { WebhookEvent } from '../domain.ts'
import type { Database, Tx } from './database.ts'

/** One try of a delivery, in the hands of the node that claimed it. */
export interface ClaimedDelivery {
  id: string
  webhookId: string
  event: WebhookEvent
  /** Which try this is, from 1. */
  attempt: number
  body: string
  url: string
  secret: Buffer
}

/**
 * Claims the delivery that has been due for longest, and counts the try. It is this node's for `leaseSeconds`: when
 * the node says nothing by then, it is due again. The last of `tries` is not repeated, whatever becomes of the node.
 * Deliveries to the webhooks of `except` are left alone. null when none is due.
 */
export async function claimDelivery(
  db: Database,
  options: { leaseSeconds: number; tries: number; except: readonly string[] },
): Promise<ClaimedDelivery | null> {
  const { leaseSeconds, tries, except } = options
  const { rows } = await sql<ClaimedDelivery>`
    update webhook_deliveries d set attempt = d.attempt + 1, status = null, error = 'no answer yet',
      next_attempt_at = case when d.attempt + 1 < ${tries} then now() + make_interval(secs => ${leaseSeconds}) end
    from webhooks w join webhook_secrets s on s.webhook_id = w.id
    where w.id = d.webhook_id and d.id = (
      select due.id from webhook_deliveries due
      where due.next_attempt_at <= now() and due.body is not null and due.webhook_id <> all (${except}::uuid[])
      order by due.next_attempt_at
      limit 1
      for update skip locked
    )
    returning d.id, d.webhook_id, d.event, d.attempt, d.body, w.url, s.secret`.execute(db)
  return rows[0] ?? null
}

/**
 * Notes what came of a try. `retrySeconds`: when the next one is due, unless the webhook is no longer active; null: it
 * is over. Nothing is noted when another try has begun meanwhile: this one was taken for lost.
 */
export async function settleDelivery(
  db: Database,
  tried: Pick<ClaimedDelivery, 'id' | 'attempt'>,
  end: { status: number | null; error: string | null; retrySeconds: number | null },
): Promise<void> {
  const { status, error, retrySeconds } = end
  await sql`
    update webhook_deliveries d set status = ${status}::int, error = ${error}::text,
      next_attempt_at = case when again.yes and d.body is not null then now() + make_interval(secs => ${retrySeconds}::float8) end,
      body = case when again.yes then d.body end
    from (
      select ${retrySeconds}::float8 is not null and w.active as yes
      from webhooks w join webhook_deliveries known on known.webhook_id = w.id
      where known.id = ${tried.id}
    ) again
    where d.id = ${tried.id} and d.attempt = ${tried.attempt}`.execute(db)
}

/** Ends what still waits for delivery to a webhook. */
export async function endDeliveries(trx: Tx, webhookId: string, error: string): Promise<void> {
  await trx
    .updateTable('webhookDeliveries')
    .set({ nextAttemptAt: null, body: null, error })
    .where('webhookId', '=', webhookId)
    .where('nextAttemptAt', 'is not', null)
    .execute()
}
