import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { changeJob, lockJob } from '../../src/db/changeJob.ts'
import { idOf, type TestApi } from './api.ts'
import { changed, record } from './changes.ts'
import { insertListing, insertProspects } from './prospects.ts'
import { closeExecution, insertJob, insertSite, openExecution } from './rows.ts'

/**
 * Puts one of everything that has a global id into the database: a job that failed and was run, with all that hangs on
 * it. Returns their ids by the names of their types; the user, their key and the rest are somebody's who asks nothing.
 */
export async function inhabit(api: TestApi): Promise<Record<string, string>> {
  const { db } = api
  const owner = await api.keyOf('ADMIN')
  const site = await insertSite(db)
  const job = await insertJob(db, site, { startDate: '2026-03-16' })
  await db.updateTable('jobs').set({ createdBy: owner.userId }).where('id', '=', job.id).execute()
  const execution = await openExecution(db, job.id)
  const failed = { jobId: job.id, executionId: execution, category: 'NETWORK' as const, code: 'TIMEOUT' }
  const day = await db.selectFrom('scrapeDays').selectAll().where('jobId', '=', job.id).executeTakeFirstOrThrow()
  const error = await db
    .insertInto('jobErrors')
    .values({
      ...failed,
      scrapeDayId: day.id,
      message: 'It took too long.',
      retryable: true,
      traceback: 'Error: at fetch',
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await db.updateTable('jobs').set({ endedByErrorId: error.id }).where('id', '=', job.id).execute()
  await db.transaction().execute(async (trx) => {
    const row = await lockJob(trx, job.id)
    const end = { status: 'FAILED' as const, finishedAt: new Date(), durationMs: 1 }
    if (row) await changeJob(trx, row, end, { lines: [{ level: 'INFO', message: 'over' }] })
  })
  await closeExecution(db, execution)

  const [prospect] = await insertProspects(db, [{ auctionDate: '2026-03-16', lastJobId: job.id }])
  if (!prospect) throw new Error('no prospect was made')
  await db.insertInto('jobProspects').values({ jobId: job.id, prospectId: prospect.id }).execute()
  const listing = await insertListing(db, prospect.id, site)
  for (const city of ['Jacksonville', 'Baldwin']) {
    const change = { kind: 'UPDATED' as const, fields: [changed('city', null, city)] }
    await record(db, prospect, [change], { scrapeUrlId: site.id, jobId: job.id })
  }
  const { position } = await db
    .selectFrom('prospectChanges')
    .select('position')
    .orderBy('position')
    .executeTakeFirstOrThrow()

  const batch = await db.insertInto('jobBatches').defaultValues().returning('id').executeTakeFirstOrThrow()
  await db.insertInto('jobBatchMembers').values({ batchId: batch.id, jobId: job.id }).execute()
  await db
    .insertInto('workerNodes')
    .values({ name: 'one', workers: JSON.stringify([worker(job.id)]), heartbeatAt: sql`now() + interval '1 hour'` })
    .execute()
  const { saveSchedule } = await api.ask(
    `mutation ($site: ID!) { saveSchedule(input: { scrapeUrlId: $site, cron: "@daily" }) {
      ... on SaveScheduleSuccess { schedule { id } } } }`,
    { site: idOf('CountyScrapeUrl', site.id) },
  )
  const { saveWebhook } = await api.ask(
    `mutation { saveWebhook(input: { url: "https://hooks.example.com/", events: [JOB_FAILED] }) {
      ... on SaveWebhookSuccess { webhook { id } } } }`,
  )
  const delivery = randomUUID()
  const webhookId =
    Buffer.from(saveWebhook.webhook.id as string, 'base64url')
      .toString()
      .split(':')[1] ?? ''
  await db
    .insertInto('webhookDeliveries')
    .values({ id: delivery, webhookId, event: 'JOB_FAILED', at: new Date() })
    .execute()

  return {
    State: idOf('State', 'FL'),
    County: idOf('County', site.countyFips),
    CountyScrapeUrl: idOf('CountyScrapeUrl', site.id),
    ScrapingJob: idOf('ScrapingJob', job.id),
    ScrapeDay: idOf('ScrapeDay', day.id),
    JobExecutionLog: idOf('JobExecutionLog', execution),
    JobError: idOf('JobError', error.id),
    JobBatch: idOf('JobBatch', batch.id),
    Prospect: idOf('Prospect', prospect.id),
    Listing: idOf('Listing', listing.id),
    ProspectChange: idOf('ProspectChange', position),
    User: idOf('User', owner.userId),
    ApiKey: idOf('ApiKey', owner.keyId),
    Schedule: saveSchedule.schedule.id,
    Webhook: saveWebhook.webhook.id,
    WebhookDelivery: idOf('WebhookDelivery', delivery),
  }
}

const worker = (jobId: string) => ({ pid: 1, state: 'BUSY', jobId, jobsDone: 0, rssBytes: 1 })
