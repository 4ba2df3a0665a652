import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { day, sale, today } from '../support/sampleDays.ts'
import { receiveWebhooks, type WebhookReceiver } from '../support/webhookReceiver.ts'

let site: SampleSite
let receiver: WebhookReceiver
let gavel: Gavel
let node: GavelNode

beforeAll(async () => {
  site = await startSampleSite({ days: [sale(1, 7)], today })
  receiver = await receiveWebhooks()
  gavel = await openGavel([site, receiver])
  node = await gavel.serve({ GAVEL_WORKERS: '0' })
})

afterAll(async () => {
  await gavel.close()
  await site.close()
  await receiver.close()
})

test('a schedule runs by itself on a node without the API, and a webhook is told what came of it', async () => {
  const scrapeUrlId = await node.saveSite(site, { transport: 'HTTP' })
  const { saveWebhook } = await node.ask(
    `mutation ($input: SaveWebhookInput!) { saveWebhook(input: $input) { ... on SaveWebhookSuccess { secret } } }`,
    { input: { url: receiver.url, events: ['JOB_COMPLETED', 'PROSPECT_CREATED'] } },
  )
  const { saveSchedule } = await node.ask(
    `mutation ($input: SaveScheduleInput!) { saveSchedule(input: $input) { ... on SaveScheduleSuccess { schedule { id } } } }`,
    { input: { scrapeUrlId, cron: '0 0 29 2 *', lookbackDays: 0, lookaheadDays: 2 } },
  )
  await sql`update schedules set next_run_at = now()`.execute(gavel.db)
  const worker = gavel.start(['worker', '--workers', '1'])

  await vi.waitFor(() => expect(receiver.calls).toHaveLength(2), { timeout: 40_000 })
  for (const call of receiver.calls) receiver.verify(call, saveWebhook.secret)
  const ofType = (type: string) => receiver.calls.find((call) => call.body.type === type)?.body.data
  expect(ofType('prospect.created').prospects).toHaveLength(7)
  const { id } = ofType('job.completed').job
  const { job } = await node.ask(
    'query ($id: ID!) { job(id: $id) { status startDate endDate schedule { id lastJob { id } } } }',
    { id },
  )
  expect(job).toEqual({
    status: 'COMPLETED',
    startDate: today,
    endDate: day(2),
    schedule: { id: saveSchedule.schedule.id, lastJob: { id } },
  })
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
}, 60_000)
