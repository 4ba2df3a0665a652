import type { Page, PageArgs } from '../db/pages.ts'
import type { WebhookDeliveryRow, WebhookRow } from '../db/tables.ts'
import {
  allWebhooks,
  deleteWebhook,
  deliveriesById,
  deliveryPages,
  lastDeliveries,
  webhooksById,
} from '../db/webhooks.ts'
import type { Outcome } from '../engine/outcome.ts'
import { type SavedWebhook, type SaveWebhookInput, saveWebhook } from '../engine/saveWebhook.ts'
import { distinct, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { keyOf } from './globalIds.ts'

export async function webhooks({ db }: Context): Promise<WebhookRow[]> {
  return await allWebhooks(db)
}

/** Webhooks by id, for an ADMIN; for others they are not there. */
export async function loadWebhooks(ids: readonly string[], context: Context): Promise<(WebhookRow | null)[]> {
  const rows = isAdmin(context) ? await webhooksById(context.db, distinct(ids)) : []
  return inOrder(ids, rows, (row) => row.id)
}

/** Deliveries by id, for an ADMIN; for others they are not there. */
export async function loadDeliveries(ids: readonly string[], context: Context): Promise<(WebhookDeliveryRow | null)[]> {
  const rows = isAdmin(context) ? await deliveriesById(context.db, distinct(ids)) : []
  return inOrder(ids, rows, (row) => row.id)
}

/** The newest delivery to each webhook. */
export async function loadLastDeliveries(
  webhookIds: readonly string[],
  { db }: Context,
): Promise<(WebhookDeliveryRow | null)[]> {
  return inOrder(webhookIds, await lastDeliveries(db, distinct(webhookIds)), (row) => row.webhookId)
}

/** The same page of deliveries to each webhook, newest first. */
export async function loadDeliveriesOfWebhooks(
  webhookIds: readonly string[],
  args: PageArgs,
  { db }: Context,
): Promise<Page<WebhookDeliveryRow>[]> {
  return await deliveryPages(db, webhookIds, args)
}

/** saveWebhook of the contract: an id in, a webhook with its secret or the reason out. */
export async function save(input: SaveWebhookInput, { db, config, viewer }: Context): Promise<Outcome<SavedWebhook>> {
  const id = input.id == null ? null : keyOf('Webhook', input.id)
  if (input.id != null && id === null) return { kind: 'notFound', id: input.id, message: 'There is no such webhook.' }
  const { allowPrivateHosts } = config
  const outcome = await saveWebhook({ db, allowPrivateHosts }, { ...input, id }, viewer?.user.id ?? null)
  return outcome.kind === 'notFound' ? { ...outcome, id: input.id ?? outcome.id } : outcome
}

export async function remove(id: string, { db }: Context): Promise<Outcome<{ deletedId: string }>> {
  const key = keyOf('Webhook', id)
  const deleted = key !== null && (await deleteWebhook(db, key))
  return deleted
    ? { kind: 'ok', value: { deletedId: id } }
    : { kind: 'notFound', id, message: 'There is no such webhook.' }
}

function isAdmin({ viewer }: Context): boolean {
  return viewer?.user.role === 'ADMIN'
}
