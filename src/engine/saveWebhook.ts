import { randomBytes } from 'node:crypto'
import type { Database } from '../db/database.ts'
import type { WebhookRow } from '../db/tables.ts'
import { endDeliveries } from '../db/webhookDeliveries.ts'
import { insertWebhook, lockWebhook, updateWebhook } from '../db/webhooks.ts'
import type { WebhookEvent } from '../domain.ts'
import { privateHostReason } from './fetch/guard.ts'
import type { InputIssue, Outcome } from './outcome.ts'
import { printSecret } from './signature.ts'

/** The contract's SaveWebhookInput, with a key for the id. What is left out stays, and null clears. */
export interface SaveWebhookInput {
  id?: string | null | undefined
  url?: string | null | undefined
  events?: readonly WebhookEvent[] | null | undefined
  active?: boolean | null | undefined
}

/** `secret`: how a new webhook's calls are signed; here, and never again. */
export interface SavedWebhook {
  webhook: WebhookRow
  secret: string | null
}

/** The specification asks for 24 to 64. */
const secretBytes = 32

/**
 * Saves a webhook: a new one without `id` (url and events are required then), else the changes of it; its secret
 * stays. One that is made inactive is told of nothing any more, also not of what still waits.
 */
export async function saveWebhook(
  deps: { db: Database; allowPrivateHosts: readonly string[] },
  input: SaveWebhookInput,
  userId: string | null,
): Promise<Outcome<SavedWebhook>> {
  return await deps.db.transaction().execute(async (trx): Promise<Outcome<SavedWebhook>> => {
    const old = input.id == null ? null : await lockWebhook(trx, input.id)
    if (input.id != null && !old) return { kind: 'notFound', id: input.id, message: 'There is no such webhook.' }

    const url = input.url === undefined ? (old?.url ?? null) : input.url
    const events = input.events === undefined ? (old?.events ?? null) : input.events
    const issues = issuesOf(url, events, deps.allowPrivateHosts)
    if (issues.length > 0 || url === null || events === null) return { kind: 'invalid', issues }
    const active = (input.active === undefined ? old?.active : input.active) ?? true
    const values = { url: new URL(url).href, events: [...new Set(events)], active }

    if (!old) {
      const secret = randomBytes(secretBytes)
      const webhook = await insertWebhook(trx, { ...values, createdBy: userId }, secret)
      return { kind: 'ok', value: { webhook, secret: printSecret(secret) } }
    }
    if (!active) await endDeliveries(trx, old.id, 'the webhook was made inactive')
    return { kind: 'ok', value: { webhook: await updateWebhook(trx, old.id, values), secret: null } }
  })
}

/** Everything that is wrong, at once. */
function issuesOf(
  url: string | null,
  events: readonly WebhookEvent[] | null,
  allowPrivateHosts: readonly string[],
): InputIssue[] {
  const issues: InputIssue[] = []
  const reason = url === null ? 'is required' : privateHostReason(url, allowPrivateHosts)
  if (reason !== null) issues.push({ path: ['url'], message: reason })
  if (events === null) issues.push({ path: ['events'], message: 'is required' })
  else if (events.length === 0) issues.push({ path: ['events'], message: 'must not be an empty list' })
  return issues
}
