import { randomUUID } from 'node:crypto'
import { type SqlBool, sql } from 'kysely'
import { globalId, type JobStatus, type WebhookEvent } from '../domain.ts'
import type { Tx } from './database.ts'
import type { RecordedChange } from './prospects/changes.ts'
import { fieldTypes, type KnownProspect } from './prospects/values.ts'
import type { JobRow } from './tables.ts'

/** More prospects of one day than these are told of by `hasMore`. */
const mostProspects = 500

const endEvents: Partial<Record<JobStatus, WebhookEvent>> = {
  COMPLETED: 'JOB_COMPLETED',
  FAILED: 'JOB_FAILED',
  CANCELLED: 'JOB_CANCELLED',
}

/** Queues the end of a job for every webhook that asks for it, in the transaction that ends the job. */
export async function queueJobEnd(trx: Tx, job: JobRow): Promise<void> {
  const event = endEvents[job.status]
  const webhooks = event ? await webhooksFor(trx, [event]) : []
  if (!event || webhooks.length === 0) return
  await queue(trx, webhooks, { event, at: job.updatedAt, data: { job: await jobData(trx, job) } })
}

/**
 * Queues the prospects that a saved day has created or changed for every webhook that asks for them, in the day's
 * transaction: one message for the new ones and one for the others, of at most 500 prospects each.
 */
export async function queueProspects(
  trx: Tx,
  job: JobRow,
  saved: readonly { prospect: KnownProspect; changes: readonly RecordedChange[] }[],
  at: Date,
): Promise<void> {
  const changed = saved.filter((one) => one.changes.length > 0)
  const isNew = (one: { changes: readonly RecordedChange[] }) => one.changes.some((each) => each.kind === 'CREATED')
  const told = [
    { event: 'PROSPECT_CREATED' as const, prospects: changed.filter(isNew) },
    { event: 'PROSPECT_UPDATED' as const, prospects: changed.filter((one) => !isNew(one)) },
  ].filter((message) => message.prospects.length > 0)
  if (told.length === 0) return
  const webhooks = await webhooksFor(
    trx,
    told.map((message) => message.event),
  )
  if (webhooks.length === 0) return
  const ofJob = await jobData(trx, job)
  for (const { event, prospects } of told) {
    const data = {
      job: ofJob,
      prospects: prospects.slice(0, mostProspects).map((one) => prospectData(one.prospect, ofJob.county)),
      hasMore: prospects.length > mostProspects,
    }
    await queue(trx, webhooks, { event, at, data })
  }
}

interface Subscriber {
  id: string
  events: WebhookEvent[]
}

/** The active webhooks that ask for any of the events; they stay as they are until the transaction ends. */
async function webhooksFor(trx: Tx, events: readonly WebhookEvent[]): Promise<Subscriber[]> {
  return await trx
    .selectFrom('webhooks')
    .select(['id', 'events'])
    .where('active', '=', true)
    .where(sql<SqlBool>`events && ${events}::text[]`)
    .orderBy('id')
    .forShare()
    .execute()
}

/** Stores one message for each of the webhooks that ask for it, due at once. */
async function queue(
  trx: Tx,
  webhooks: readonly Subscriber[],
  message: { event: WebhookEvent; at: Date; data: object },
): Promise<void> {
  const { event, at, data } = message
  const asked = webhooks.filter((webhook) => webhook.events.includes(event))
  if (asked.length === 0) return
  const type = event.toLowerCase().replace('_', '.')
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data })
  await trx
    .insertInto('webhookDeliveries')
    .values(asked.map(({ id }) => ({ id: randomUUID(), webhookId: id, event, at, body, nextAttemptAt: at })))
    .execute()
}

/** A job under the names of the schema. */
async function jobData(trx: Tx, job: JobRow) {
  const site = await trx
    .selectFrom('scrapeUrls as u')
    .innerJoin('counties as c', 'c.fips', 'u.countyFips')
    .select(['u.url', 'u.platform', 'c.stateCode', 'c.name'])
    .where('u.id', '=', job.scrapeUrlId)
    .executeTakeFirstOrThrow()
  const { id, countyFips, scrapeUrlId } = job
  return {
    id: globalId('ScrapingJob', id),
    name: job.name,
    county: {
      id: globalId('County', countyFips),
      state: { code: site.stateCode },
      name: site.name,
      fips: countyFips,
    },
    scrapeUrl: { id: globalId('CountyScrapeUrl', scrapeUrlId), url: site.url, platform: site.platform },
    startDate: job.startDate,
    endDate: job.endDate,
    sequence: job.sequence,
    status: job.status,
    priority: job.priority,
    attempt: job.attempt,
    maxAttempts: job.maxAttempts,
    progress: {
      rowsProcessed: job.rowsProcessed,
      rowsSuccess: job.rowsSuccess,
      rowsFailed: job.rowsFailed,
      datesTotal: job.datesTotal,
      datesDone: job.datesDone,
    },
    endedBy: await endedByData(trx, job),
    createdAt: job.createdAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
    durationMs: job.durationMs,
  }
}

async function endedByData(trx: Tx, job: JobRow) {
  if (job.endedByErrorId === null) return null
  const { id, ...error } = await trx
    .selectFrom('jobErrors')
    .select(['id', 'category', 'code', 'message', 'retryable', 'date', 'url'])
    .where('id', '=', job.endedByErrorId)
    .executeTakeFirstOrThrow()
  return { id: globalId('JobError', id), ...error }
}

type ProspectField = keyof typeof fieldTypes

/** A prospect under the names of the schema; what was read word for word (rawData) is left to the API. */
function prospectData(prospect: KnownProspect, county: object) {
  const fields = Object.fromEntries(Object.keys(fieldTypes).map((name) => [name, prospect[name as ProspectField]]))
  return {
    id: globalId('Prospect', prospect.id),
    county,
    lot: prospect.lot,
    ...(fields as Pick<KnownProspect, ProspectField>),
    surplus: prospect.surplus,
    listed: prospect.listed,
    delistedAt: prospect.delistedAt,
  }
}
