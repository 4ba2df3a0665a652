import { Writable } from 'node:stream'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { WebhookDeliveryRow } from '../../src/db/tables.ts'
import type { WebhookEvent } from '../../src/domain.ts'
import { globalId, webhookEvents } from '../../src/domain.ts'
import type { Commands } from '../../src/engine/commands.ts'
import { endExecution, lostWorker, openExecution } from '../../src/engine/executions.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import type { Repeated } from '../../src/engine/repeat.ts'
import { type SaveWebhookInput, saveWebhook } from '../../src/engine/saveWebhook.ts'
import { type DeliveryTimes, deliveryTimes, startWebhooks } from '../../src/engine/webhooks.ts'
import type { Logger } from '../../src/log.ts'
import { sampleRow } from '../db/prospects/sample.ts'
import { newCase, visit } from '../db/prospects/visit.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, insertScrapeUrl, silent, submitted } from '../support/engineFixtures.ts'
import { processes } from '../support/processes.ts'
import { receiveWebhooks, type WebhookReceiver } from '../support/webhookReceiver.ts'

const until = { timeout: 15_000, interval: 20 }
const quick: DeliveryTimes = { delaysSeconds: [0.05, 0.05, 0.05], leaseSeconds: 30, timeoutMs: 5_000 }

let test: TestDatabase
let queue: Queue
let commands: Commands
const nodes = processes()
const running: Repeated[] = []
const receivers: WebhookReceiver[] = []

beforeAll(async () => {
  test = await createTestDatabase()
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
  commands = commandsOn(test.db, queue)
})
afterEach(async () => {
  await nodes.killAll()
  for (const one of running.splice(0)) await one.stop()
  for (const one of receivers.splice(0)) await one.close()
  await test.db.deleteFrom('webhooks').execute()
})
afterAll(async () => {
  await queue.stop()
  await test.drop()
})

async function receiver(...answers: Parameters<typeof receiveWebhooks>): Promise<WebhookReceiver> {
  const made = await receiveWebhooks(...answers)
  receivers.push(made)
  return made
}

function start(allowPrivateHosts: readonly string[], times: DeliveryTimes = quick, log: Logger = silent): Repeated {
  const started = startWebhooks({ db: test.db, allowPrivateHosts, log, times })
  running.push(started)
  return started
}

/** A webhook at the receiver, for every event unless told. */
async function subscribe(to: WebhookReceiver, events: readonly WebhookEvent[] = webhookEvents) {
  const outcome = await saveWebhook({ db: test.db, allowPrivateHosts: [to.host] }, { url: to.url, events }, null)
  if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
  return { id: outcome.value.webhook.id, secret: outcome.value.secret ?? '' }
}

const save = async (input: SaveWebhookInput) =>
  await saveWebhook({ db: test.db, allowPrivateHosts: receivers.map((one) => one.host) }, input, null)

async function deliveries(webhookId: string): Promise<(WebhookDeliveryRow & { body: string | null })[]> {
  return await test.db.selectFrom('webhookDeliveries').selectAll().where('webhookId', '=', webhookId).execute()
}

/** The one delivery to a webhook, once it is over. */
async function over(webhookId: string): Promise<WebhookDeliveryRow & { body: string | null }> {
  return await vi.waitFor(async () => {
    const [only, ...more] = await deliveries(webhookId)
    expect(more).toEqual([])
    expect(only?.attempt).toBeGreaterThan(0)
    expect(only?.nextAttemptAt).toBeNull()
    expect(only?.error).not.toBe('no answer yet')
    return only as WebhookDeliveryRow & { body: string | null }
  }, until)
}

async function cancelled() {
  const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db) })
  const outcome = await commands.cancelJob(job.id)
  if (outcome.kind !== 'ok') throw new Error(outcome.kind)
  return outcome.value
}

async function ended(outcome: Parameters<typeof endExecution>[2]) {
  const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db), maxAttempts: 1 })
  const deps = { db: test.db, queue, retryDelaysSeconds: [1] }
  const delivery = { queueId: job.queueId ?? '', jobId: job.id, sameAttempt: false }
  const run = await openExecution(deps, delivery, { executionId: crypto.randomUUID(), node: 'node-1', pid: 1 })
  await endExecution(deps, run?.execution.id ?? '', outcome)
  return job
}

describe('the end of a job', () => {
  it('is told in a signed call under the names of the schema', async () => {
    const to = await receiver()
    const { id, secret } = await subscribe(to)
    const job = await cancelled()
    start([to.host])
    const delivery = await over(id)
    expect(delivery).toMatchObject({ event: 'JOB_CANCELLED', status: 204, attempt: 1, error: null, body: null })
    const [call] = to.calls
    if (!call) throw new Error('no call')
    to.verify(call, secret)
    expect(() => to.verify({ ...call, text: `${call.text} ` }, secret)).toThrow('signature')
    expect(call.id).toBe(globalId('WebhookDelivery', delivery.id))
    expect(call.headers['content-type']).toBe('application/json')
    expect(call.body).toEqual({
      type: 'job.cancelled',
      timestamp: job.updatedAt.toISOString(),
      data: {
        job: expect.objectContaining({
          id: globalId('ScrapingJob', job.id),
          name: 'FL Miami-Dade 2026-03-16..2026-03-18',
          status: 'CANCELLED',
          county: { id: globalId('County', '12086'), state: { code: 'FL' }, name: 'Miami-Dade', fips: '12086' },
          startDate: '2026-03-16',
          finishedAt: job.finishedAt?.toISOString(),
          endedBy: null,
        }),
      },
    })
  })

  it('is told as job.completed, and as job.failed with the error that ended it', async () => {
    const to = await receiver()
    await subscribe(to)
    const whole = await ended({ kind: 'completed', stages: [] })
    const error = { ...lostWorker('the site answers HTTP 500'), code: 'HTTP_ERROR' as const }
    const broken = await ended({ kind: 'failed', error, stages: null })
    start([to.host])
    await vi.waitFor(() => expect(to.calls).toHaveLength(2), until)
    const told = new Map(to.calls.map(({ body }) => [body.type, [body.data.job.id, body.data.job.endedBy?.code]]))
    expect(told.get('job.completed')).toEqual([globalId('ScrapingJob', whole.id), undefined])
    expect(told.get('job.failed')).toEqual([globalId('ScrapingJob', broken.id), 'HTTP_ERROR'])
  })

  it('goes to active webhooks that ask for it, each under an id of its own', async () => {
    const to = await receiver()
    const one = await subscribe(to)
    const two = await subscribe(to, ['JOB_CANCELLED'])
    const deaf = await subscribe(to, ['JOB_FAILED'])
    const off = await subscribe(to)
    await save({ id: off.id, active: false })
    await cancelled()
    expect([await deliveries(one.id), await deliveries(two.id)].map((rows) => rows.length)).toEqual([1, 1])
    expect([...(await deliveries(deaf.id)), ...(await deliveries(off.id))]).toEqual([])
    start([to.host])
    await vi.waitFor(() => expect(new Set(to.calls.map((call) => call.id)).size).toBe(2), until)
  })

  it('is not told when the transaction that ends the job is rolled back', async () => {
    const to = await receiver()
    const { id } = await subscribe(to)
    const refusing: Queue = { ...queue, cancel: async () => await Promise.reject(new Error('gone')) }
    const job = await submitted(commands, { scrapeUrlId: await insertScrapeUrl(test.db) })
    await expect(commandsOn(test.db, refusing).cancelJob(job.id)).rejects.toThrow('gone')
    expect(await deliveries(id)).toEqual([])
  })
})

describe('the prospects of a saved day', () => {
  it('are told in one call for the new and one for the changed, with the day’s transaction', async () => {
    const to = await receiver()
    const { id } = await subscribe(to)
    const { job, read } = await visit(test.db)
    const [a, b] = [newCase(), newCase()]
    await read([sampleRow('1', { caseNumber: a }), sampleRow('2', { caseNumber: b, openingBid: '100' })])
    await read([sampleRow('1', { caseNumber: a }), sampleRow('2', { caseNumber: b, openingBid: '200' })])
    await read([sampleRow('1', { caseNumber: a }), sampleRow('2', { caseNumber: b, openingBid: '200' })])
    expect((await deliveries(id)).map((one) => one.event)).toEqual(['PROSPECT_CREATED', 'PROSPECT_UPDATED'])
    start([to.host])
    await vi.waitFor(() => expect(to.calls).toHaveLength(2), until)
    const created = to.calls.find((call) => call.body.type === 'prospect.created')?.body
    expect(created.data).toMatchObject({ hasMore: false, job: { id: globalId('ScrapingJob', job.id) } })
    expect(created.data.prospects.map((one: { caseNumber: string }) => one.caseNumber).toSorted()).toEqual([a, b])
    expect(created.data.prospects[0]).toMatchObject({
      id: expect.any(String),
      county: { name: 'Duval', state: { code: 'FL' } },
      auctionDate: '2026-03-05',
      startsAt: '2026-03-05T15:00:00.000Z',
      finalJudgmentAmount: '219123.16',
      listed: true,
      lot: 1,
    })
    const updated = to.calls.find((call) => call.body.type === 'prospect.updated')?.body
    expect(updated.data.prospects).toMatchObject([{ caseNumber: b, openingBid: '200.00' }])
  })

  it('are at most 500, and whether there are more is told', async () => {
    const to = await receiver()
    await subscribe(to, ['PROSPECT_CREATED'])
    const { read } = await visit(test.db)
    await read(Array.from({ length: 501 }, (_, n) => sampleRow(`m${n}`, { caseNumber: newCase() })))
    start([to.host])
    await vi.waitFor(() => expect(to.calls).toHaveLength(1), until)
    expect(to.calls[0]?.body.data.prospects).toHaveLength(500)
    expect(to.calls[0]?.body.data.hasMore).toBe(true)
  })
})

describe('a call that fails', () => {
  it('is repeated with the same id and body, signed anew, until it is answered', async () => {
    const to = await receiver(500, 404)
    const { id, secret } = await subscribe(to)
    await cancelled()
    start([to.host])
    expect(await over(id)).toMatchObject({ attempt: 3, status: 204, error: null })
    expect(to.calls).toHaveLength(3)
    expect(new Set(to.calls.map((call) => call.id)).size).toBe(1)
    expect(new Set(to.calls.map((call) => call.text)).size).toBe(1)
    for (const call of to.calls) to.verify(call, secret)
  })

  it('is given up after the last try', async () => {
    const to = await receiver(500, 500, 500, 503)
    const { id } = await subscribe(to)
    await cancelled()
    start([to.host])
    const error = 'HTTP 503; given up after 4 tries'
    expect(await over(id)).toMatchObject({ attempt: 4, status: 503, error, body: null })
    expect(to.calls).toHaveLength(4)
  })

  it('shows what it was answered while it waits for its next try', async () => {
    const to = await receiver(500)
    const { id } = await subscribe(to)
    await cancelled()
    start([to.host], deliveryTimes)
    const waiting = await vi.waitFor(async () => {
      const [only] = await deliveries(id)
      expect(only).toMatchObject({ attempt: 1, status: 500, error: 'HTTP 500' })
      return only
    }, until)
    expect(waiting?.nextAttemptAt?.getTime()).toBeGreaterThan(Date.now())
    expect(waiting?.nextAttemptAt?.getTime()).toBeLessThan(Date.now() + 6_000)
  })

  it('ends the webhook where it is answered 410, with all that waits for it', async () => {
    const to = await receiver(410)
    const { id } = await subscribe(to)
    await cancelled()
    const waiting = { webhookId: id, event: 'JOB_FAILED' as const, at: new Date(), body: '{}' }
    const later = { ...waiting, id: crypto.randomUUID(), nextAttemptAt: new Date(Date.now() + 3_600_000) }
    await test.db.insertInto('webhookDeliveries').values(later).execute()
    start([to.host])
    await vi.waitFor(async () => {
      const all = await deliveries(id)
      expect(all.find((one) => one.event === 'JOB_CANCELLED')).toMatchObject({ status: 410, nextAttemptAt: null })
      expect(all.find((one) => one.event === 'JOB_FAILED')).toMatchObject({
        attempt: 0,
        nextAttemptAt: null,
        body: null,
      })
    }, until)
    const webhook = await test.db.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    expect(webhook.active).toBe(false)
    expect(to.calls).toHaveLength(1)
  })

  it('is not led elsewhere by a redirect', async () => {
    const to = await receiver((response) => response.writeHead(307, { location: '/elsewhere' }).end())
    const { id } = await subscribe(to)
    await cancelled()
    start([to.host])
    expect(await over(id)).toMatchObject({ attempt: 2, status: 204 })
    expect(to.calls.map((call) => call.path)).toEqual(['/hook', '/hook'])
  })

  it('ends when there is no answer in time, and where nobody listens', async () => {
    const to = await receiver(() => undefined)
    const { id } = await subscribe(to)
    await cancelled()
    start([to.host], { ...quick, delaysSeconds: [], timeoutMs: 200 })
    expect(await over(id)).toMatchObject({ status: null, error: 'no answer within 0.2 s; given up after 1 tries' })

    const gone = await receiveWebhooks()
    const other = await subscribe(gone)
    await gone.close()
    await cancelled()
    start([gone.host], { ...quick, delaysSeconds: [] })
    expect((await over(other.id)).error).toContain('ECONNREFUSED')
  })

  it('reads no more of an answer than it needs', async () => {
    let closed = false
    const to = await receiver((response) => {
      response.writeHead(200)
      response.once('close', () => (closed = true))
      const pour = () => void (response.destroyed || response.write(Buffer.alloc(64 * 1024), pour))
      pour()
    })
    const { id } = await subscribe(to)
    await cancelled()
    start([to.host])
    expect(await over(id)).toMatchObject({ status: 200, attempt: 1, error: null })
    await vi.waitFor(() => expect(closed).toBe(true), until)
  })
})

describe('an address that is not public', () => {
  it.each([
    'http://127.0.0.1:1/',
    'http://[::1]/',
    'http://localhost/',
    'http://10.1.2.3/',
    'http://169.254.169.254/',
    'ftp://a.example/',
  ])('%s is refused when it is saved', async (url) => {
    const outcome = await save({ url, events: ['JOB_FAILED'] })
    expect(outcome).toMatchObject({ kind: 'invalid', issues: [{ path: ['url'] }] })
  })

  it('is refused when it is connected to, by its name as by its literal', async () => {
    const to = await receiver()
    for (const host of ['localhost', '127.0.0.1']) {
      const { id } = await subscribe(to)
      // As if the name had pointed elsewhere when it was saved, or the setting been another.
      const url = `http://${host}:${to.port}/hook`
      await test.db.updateTable('webhooks').set({ url }).where('id', '=', id).execute()
      await cancelled()
      const sender = start([], { ...quick, delaysSeconds: [] })
      expect(await over(id)).toMatchObject({ status: null, error: expect.stringContaining('not public') })
      await sender.stop()
      await test.db.deleteFrom('webhooks').execute()
    }
    expect(to.calls).toEqual([])
  })
})

describe('over several node processes', () => {
  const node = async (to: WebhookReceiver, times: DeliveryTimes) =>
    await nodes.start('backgroundNode.ts', { DATABASE_URL: test.url, ALLOW: to.host, TIMES: JSON.stringify(times) })

  it('a node that dies in the middle of a call loses nothing: another repeats it with the same id', async () => {
    const to = await receiver(() => undefined)
    const { id, secret } = await subscribe(to)
    await cancelled()
    const times = { delaysSeconds: [60, 60], leaseSeconds: 2, timeoutMs: 60_000 }
    const first = await node(to, times)
    await vi.waitFor(() => expect(to.calls).toHaveLength(1), until)
    await nodes.kill(first)
    await node(to, times)
    expect(await over(id)).toMatchObject({ attempt: 2, status: 204 })
    expect(to.calls.map((call) => call.id)).toEqual([to.calls[0]?.id, to.calls[0]?.id])
    for (const call of to.calls) to.verify(call, secret)
  }, 60_000)

  it('a node that dies between two tries leaves the next one to another', async () => {
    const to = await receiver(500)
    const { id } = await subscribe(to)
    await cancelled()
    const times = { ...quick, delaysSeconds: [2, 2] }
    const first = await node(to, times)
    await vi.waitFor(async () => expect(await deliveries(id)).toMatchObject([{ attempt: 1, status: 500 }]), until)
    await nodes.kill(first)
    await node(to, times)
    expect(await over(id)).toMatchObject({ attempt: 2, status: 204 })
    expect(new Set(to.calls.map((call) => call.id)).size).toBe(1)
  }, 60_000)

  it('each message is sent once where nothing fails', async () => {
    const to = await receiver()
    const { id } = await subscribe(to)
    const at = new Date()
    const messages = Array.from({ length: 60 }, (_, n) => ({ n, id: crypto.randomUUID(), webhookId: id, at }))
    await test.db
      .insertInto('webhookDeliveries')
      .values(messages.map(({ n, ...one }) => ({ ...one, event: 'JOB_FAILED', body: `{"n":${n}}`, nextAttemptAt: at })))
      .execute()
    await Promise.all([1, 2, 3].map(() => node(to, quick)))
    await vi.waitFor(async () => {
      expect((await deliveries(id)).filter((one) => one.status === 204)).toHaveLength(60)
    }, until)
    expect(to.calls).toHaveLength(60)
    expect(new Set(to.calls.map((call) => call.id)).size).toBe(60)
  }, 60_000)
})

describe('saveWebhook', () => {
  it('shows the secret of a new webhook once: whsec_ and base64 of 32 bytes', async () => {
    const to = await receiver()
    const { id, secret } = await subscribe(to)
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const again = await save({ id, events: ['JOB_FAILED'] })
    expect(again).toMatchObject({
      kind: 'ok',
      value: { secret: null, webhook: { events: ['JOB_FAILED'], url: to.url } },
    })
    const columns = Object.keys(again.kind === 'ok' ? again.value.webhook : {})
    expect(columns).not.toContain('secret')
  })

  it('tells everything that is wrong at once', async () => {
    expect(await save({})).toMatchObject({ kind: 'invalid', issues: [{ path: ['url'] }, { path: ['events'] }] })
    const empty = await save({ url: 'https://hooks.example.com/', events: [] })
    expect(empty).toMatchObject({ kind: 'invalid', issues: [{ path: ['events'] }] })
    expect(await save({ id: crypto.randomUUID() })).toMatchObject({ kind: 'notFound' })
  })

  it('ends what waits for a webhook that is made inactive', async () => {
    const to = await receiver()
    const { id } = await subscribe(to)
    await cancelled()
    await save({ id, active: false })
    const error = 'the webhook was made inactive'
    expect(await deliveries(id)).toMatchObject([{ attempt: 0, error, nextAttemptAt: null, body: null }])
  })

  it('never lets the secret reach the log', async () => {
    const written: string[] = []
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString())
        done()
      },
    })
    const to = await receiver(500)
    const { id, secret } = await subscribe(to)
    await cancelled()
    start([to.host], quick, pino({ level: 'trace' }, sink))
    await over(id)
    const log = written.join('')
    expect(log).toContain(id)
    expect(log).not.toContain(secret.slice('whsec_'.length))
    expect(log).not.toContain(Buffer.from(secret.slice('whsec_'.length), 'base64').toString('hex'))
  })
})

it('the tries of a delivery are eight, within 24 hours', () => {
  const longest = deliveryTimes.delaysSeconds.reduce((sum, delay) => sum + delay, 0) * 1.05
  expect(deliveryTimes.delaysSeconds).toHaveLength(7)
  expect(longest).toBeLessThan(24 * 3600)
  expect(deliveryTimes.leaseSeconds * 1000).toBeGreaterThan(deliveryTimes.timeoutMs)
})
