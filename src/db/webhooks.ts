import { type Insertable, sql, type Updateable } from 'kysely'
import type { Database, Tx } from './database.ts'
import { columnKey, type Page, type PageArgs, plainOrder, readPages } from './pages.ts'
import type { Tables, WebhookDeliveryRow, WebhookRow } from './tables.ts'

/** Every webhook, oldest first. */
export async function allWebhooks(db: Database): Promise<WebhookRow[]> {
  return await db.selectFrom('webhooks').selectAll().orderBy('createdAt').orderBy('id').execute()
}

export async function webhooksById(db: Database, ids: readonly string[]): Promise<WebhookRow[]> {
  return await db
    .selectFrom('webhooks')
    .selectAll()
    .where('id', '=', sql<string>`any(${sql.val(ids)})`)
    .execute()
}

export async function lockWebhook(trx: Tx, id: string): Promise<WebhookRow | null> {
  const row = await trx.selectFrom('webhooks').selectAll().where('id', '=', id).forNoKeyUpdate().executeTakeFirst()
  return row ?? null
}

/** Stores a webhook and, apart from it, its signing secret. */
export async function insertWebhook(
  trx: Tx,
  values: Insertable<Tables['webhooks']>,
  secret: Buffer,
): Promise<WebhookRow> {
  const row = await trx.insertInto('webhooks').values(values).returningAll().executeTakeFirstOrThrow()
  await trx.insertInto('webhookSecrets').values({ webhookId: row.id, secret }).execute()
  return row
}

export async function updateWebhook(trx: Tx, id: string, change: Updateable<Tables['webhooks']>): Promise<WebhookRow> {
  return await trx
    .updateTable('webhooks')
    .set({ ...change, updatedAt: sql<Date>`now()` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Deletes a webhook with its deliveries. false when there is none. */
export async function deleteWebhook(db: Database, id: string): Promise<boolean> {
  const deleted = await db.deleteFrom('webhooks').where('id', '=', id).returning('id').executeTakeFirst()
  return deleted !== undefined
}

const deliveryColumns = ['id', 'webhookId', 'event', 'at', 'attempt', 'status', 'error', 'nextAttemptAt'] as const

const deliveryOrder = plainOrder<WebhookDeliveryRow>('NEWEST', 'desc', [
  columnKey('webhookDeliveries.at', 'instant', (row) => row.at.toISOString()),
  columnKey('webhookDeliveries.id', 'uuid', (row) => row.id),
])

export async function deliveriesById(db: Database, ids: readonly string[]): Promise<WebhookDeliveryRow[]> {
  return await db
    .selectFrom('webhookDeliveries')
    .select(deliveryColumns)
    .where('id', '=', sql<string>`any(${sql.val(ids)})`)
    .execute()
}

/** The newest delivery of each webhook that has any. */
export async function lastDeliveries(db: Database, webhookIds: readonly string[]): Promise<WebhookDeliveryRow[]> {
  return await db
    .selectFrom('webhookDeliveries')
    .select(deliveryColumns)
    .distinctOn('webhookId')
    .where('webhookId', '=', sql<string>`any(${sql.val(webhookIds)})`)
    .orderBy('webhookId')
    .orderBy('at', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/** The same page of deliveries for each webhook, newest first. */
export async function deliveryPages(
  db: Database,
  webhookIds: readonly string[],
  args: PageArgs,
): Promise<Page<WebhookDeliveryRow>[]> {
  const sources = webhookIds.map((id) =>
    db.selectFrom('webhookDeliveries').select(deliveryColumns).where('webhookDeliveries.webhookId', '=', id),
  )
  return await readPages(db, sources, deliveryOrder, args)
}
