import { setTimeout as delay } from 'node:timers/promises'
import { globalId } from '../../src/domain.ts'
import type { Api } from './api.ts'
import type { Check } from './checks.ts'
import type { ChaosPostgres } from './postgres.ts'
import type { Receiver } from './receiver.ts'

/** Saves a webhook for everything that the receiver can be told of. */
export async function saveWebhook(api: Api, receiver: Receiver): Promise<void> {
  // Without an answer it would be made twice: nothing has been hurt yet.
  const { saveWebhook: saved } = await api.ask<{ saveWebhook: { secret?: string; message?: string } }>(
    `mutation ($input: SaveWebhookInput!) {
      saveWebhook(input: $input) { ... on SaveWebhookSuccess { secret } ... on Error { message } }
    }`,
    {
      input: {
        url: receiver.url,
        events: ['JOB_COMPLETED', 'JOB_FAILED', 'JOB_CANCELLED', 'PROSPECT_CREATED', 'PROSPECT_UPDATED'],
      },
    },
  )
  if (!saved.secret) throw new Error(`the webhook was refused: ${saved.message}`)
  receiver.trust(saved.secret)
}

/** Longer than a node may keep silent about a try, 30 s, and the first delay, 5 s: what waits so long is put forward. */
const longWait = '40 seconds'

/** Waits until every message has been delivered or given up; what would be tried in minutes or hours is tried now. */
export async function finishDeliveries(postgres: ChaosPostgres, deadline: number): Promise<void> {
  for (;;) {
    await postgres.query(`
      update webhook_deliveries set next_attempt_at = now() where next_attempt_at > now() + interval '${longWait}'`)
    const [row] = await postgres.query<{ left: number }>(
      'select count(*)::int as left from webhook_deliveries where next_attempt_at is not null',
    )
    if (row?.left === 0 || Date.now() > deadline) return
    await delay(500)
  }
}

/** Every end of a job and every prospect has been told of, in one message each, and rightly signed. */
export async function checkWebhooks(postgres: ChaosPostgres, receiver: Receiver): Promise<Check[]> {
  const { messages, problems } = receiver
  const deliveries = await postgres.query<{ id: string; status: number | null; error: string | null; attempt: number }>(
    'select id, status, error, attempt from webhook_deliveries',
  )
  const undelivered = deliveries
    .map((delivery) => ({ ...delivery, id: globalId('WebhookDelivery', delivery.id) }))
    .filter(({ id, status }) => status !== 204 || !messages.has(id))
    .map(({ id, attempt, error }) => `message ${id} was not delivered in ${attempt} tries: ${error}`)
  const ends = await postgres.query<{ job_id: string; sequence: number }>(
    "select job_id, sequence from job_events where status in ('COMPLETED', 'FAILED', 'CANCELLED')",
  )
  const created = await postgres.query<{ prospect_id: string }>(
    "select prospect_id from prospect_changes where kind = 'CREATED'",
  )
  const all = [...messages.values()]
  const toldEnds = all
    .filter(({ type }) => type.startsWith('job.'))
    .map(({ jobId, sequence }) => `${jobId} at ${sequence}`)
  const toldProspects = all.filter(({ type }) => type === 'prospect.created').flatMap(({ prospectIds }) => prospectIds)
  return [
    { name: 'every message to the webhook was delivered', problems: undelivered },
    { name: 'every call of the webhook was signed and the same at each try', problems },
    {
      name: 'the webhook was told of every end of a job once',
      problems: once(
        toldEnds,
        ends.map((event) => `${globalId('ScrapingJob', event.job_id)} at ${event.sequence}`),
      ),
    },
    {
      name: 'the webhook was told of every new prospect once',
      problems: once(
        toldProspects,
        created.map((change) => globalId('Prospect', change.prospect_id)),
      ),
    },
  ]
}

/** What was told and what should have been, each once: the differences. */
function once(told: readonly string[], expected: readonly string[]): string[] {
  const counts = new Map(expected.map((one) => [one, 0]))
  for (const one of told) counts.set(one, (counts.get(one) ?? 0) + 1)
  const known = new Set(expected)
  return [...counts]
    .filter(([one, count]) => count !== 1 || !known.has(one))
    .map(([one, count]) => `${one} was told ${count} times${known.has(one) ? '' : ' and never was'}`)
}
