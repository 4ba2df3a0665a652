import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type SampleSite, startSampleSite } from '../../src/demo/site/server.ts'
import { type Gavel, type GavelNode, openGavel } from '../support/gavel.ts'
import { day, sale, today } from '../support/sampleDays.ts'

// Whole processes start and stop here, beside whatever else the machine does.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let site: SampleSite
let gavel: Gavel
let node: GavelNode
let countyId: string
let scrapeUrlId: string
/** Ids as they look, of things that are not there. */
const unknown = Object.fromEntries(
  ['ScrapingJob', 'CountyScrapeUrl', 'County', 'User', 'ApiKey'].map((type) => [
    type,
    Buffer.from(`${type}:00000000-0000-4000-8000-000000000000`).toString('base64url'),
  ]),
)

beforeAll(async () => {
  site = await startSampleSite({ days: [sale(-1, 3)], today })
  gavel = await openGavel([site])
  // Nothing here may come to run a job: every refusal must leave all as it was.
  node = await gavel.serve({ GAVEL_WORKERS: '0' })
  scrapeUrlId = await node.saveSite(site)
  countyId = (await node.ask('{ county(state: "FL", name: "Duval") { id } }')).county.id
})

afterAll(async () => {
  await gavel.close()
  await site.close()
})

describe('input that makes no sense is refused with what is wrong, and changes nothing:', () => {
  const submit = (input: Record<string, unknown>) =>
    refusedBy('submitJob', 'SubmitJobInput', { scrapeUrlId, startDate: day(-1), endDate: day(-1), ...input })
  const save = (input: Record<string, unknown>) =>
    refusedBy('saveScrapeUrl', 'SaveScrapeUrlInput', {
      countyId,
      url: 'https://new.example.com/',
      platform: 'REALAUCTION',
      ...input,
    })

  test.each([
    ['a range that ends before it begins', { startDate: day(0), endDate: day(-1) }, /Date$/],
    ['a range of more than 366 days', { startDate: day(-400), endDate: day(0) }, /Date$/],
    ['a priority above 100', { priority: 101 }, /^priority$/],
    ['a timeout of no seconds', { timeoutSeconds: 0 }, /^timeoutSeconds$/],
    ['a timeout above a day', { timeoutSeconds: 82_801 }, /^timeoutSeconds$/],
    ['no attempt at all', { maxAttempts: 0 }, /^maxAttempts$/],
    ['eleven attempts', { maxAttempts: 11 }, /^maxAttempts$/],
  ])('a job with %s', async (_, input, field) => {
    const refused = await submit(input)
    expect(refused).toMatchObject({ __typename: 'InvalidInputError', message: expect.stringMatching(/./) })
    expect(refused.issues.map(({ path }: { path: string[] }) => path.at(-1))).toContainEqual(
      expect.stringMatching(field),
    )
  })

  test('a job with several faults is told all of them at once', async () => {
    const { issues } = await submit({ startDate: day(0), endDate: day(-1), priority: -101, maxAttempts: 99 })
    expect(issues).toHaveLength(3)
  })

  test.each([
    ['ftp://files.example.com/'],
    ['javascript:alert(1)'],
    ['file:///etc/passwd'],
    ['new.example.com'],
    ['http://'],
    ['http://user:secret@new.example.com/'],
    ['http://10.1.2.3/'],
    ['http://127.0.0.1:1/'],
    ['http://[::1]/'],
    ['http://169.254.169.254/latest/meta-data/'],
    ['http://localhost/'],
  ])('a scrape URL %s', async (url) => {
    const before = await everything()
    const { data, errors } = await node.post(
      'mutation ($input: SaveScrapeUrlInput!) { saveScrapeUrl(input: $input) { type: __typename ... on Error { message } ... on InvalidInputError { issues { path message } } } }',
      { input: { countyId, url, platform: 'REALAUCTION' } },
    )
    // The scalar refuses what is no URL before the mutation does.
    const refusal = errors?.[0]?.extensions.code ?? data.saveScrapeUrl.type
    expect(refusal).toMatch(/^(BAD_USER_INPUT|InvalidInputError)$/)
    expect(JSON.stringify(errors ?? data.saveScrapeUrl)).toMatch(/url/i)
    expect(await everything()).toEqual(before)
  })

  test('a time zone that is none', async () => {
    expect(await save({ timezone: 'America/Atlantis' })).toMatchObject({ __typename: 'InvalidInputError' })
  })

  test('the same site a second time', async () => {
    expect(await save({ url: site.url })).toMatchObject({ __typename: 'ConflictError', reason: 'ALREADY_EXISTS' })
  })

  test('a new scrape URL of an unknown county', async () => {
    expect(await save({ countyId: unknown['County'] })).toMatchObject({ __typename: 'NotFoundError' })
  })

  test('a job on an unknown scrape URL', async () => {
    expect(await submit({ scrapeUrlId: unknown['CountyScrapeUrl'] })).toMatchObject({ __typename: 'NotFoundError' })
    // An id of something else, and text that is no id.
    for (const other of [countyId, 'nonsense', '']) {
      expect(await submit({ scrapeUrlId: other })).toMatchObject({
        __typename: expect.stringMatching(/^(NotFound|InvalidInput)Error$/),
      })
    }
  })

  test.each(['cancelJob', 'retryJob', 'runJob'])('%s of an unknown job', async (mutation) => {
    const before = await everything()
    for (const id of [unknown['ScrapingJob'], scrapeUrlId, 'nonsense']) {
      const answer = await node.ask(
        `mutation ($id: ID!) { ${mutation}(id: $id) { __typename ... on Error { message } } }`,
        { id },
      )
      expect(answer[mutation]).toMatchObject({ __typename: 'NotFoundError', message: expect.stringMatching(/./) })
    }
    expect(await everything()).toEqual(before)
  })

  test('an end of an unknown key', async () => {
    const { revokeApiKey } = await node.ask('mutation ($id: ID!) { revokeApiKey(id: $id) { __typename } }', {
      id: unknown['ApiKey'],
    })
    expect(revokeApiKey).toEqual({ __typename: 'NotFoundError' })
  })

  test('reads of what is not there answer null, subscriptions NOT_FOUND', async () => {
    for (const id of [unknown['ScrapingJob'], 'nonsense', scrapeUrlId]) {
      expect(await node.ask('query ($id: ID!) { job(id: $id) { id } }', { id })).toEqual({ job: null })
    }
    for (const subscription of ['jobStatus(jobId: $id) { sequence }', 'jobLog(jobId: $id) { lastLine }']) {
      const watching = node.watch(`subscription ($id: ID!) { ${subscription} }`, { id: unknown['ScrapingJob'] })
      await expect(watching.next()).rejects.toThrow('NOT_FOUND')
    }
  })

  test.each([
    ['a date that is none', '{ prospects(filter: { auctionDate: { from: "2026-02-30" } }) { totalCount } }'],
    ['pages of more than 200', '{ jobs(first: 201) { totalCount } }'],
    ['pages from both ends', '{ jobs(first: 1, last: 1) { totalCount } }'],
    ['pages of less than nothing', '{ jobs(first: -1) { totalCount } }'],
    ['a cursor that is none', '{ jobs(after: "nonsense") { totalCount nodes { id } } }'],
    ['an empty list in a filter', '{ prospects(filter: { auctionStatus: [] }) { totalCount } }'],
  ])('%s in a query', async (_, query) => {
    const { errors } = await node.post(query)
    expect(errors?.[0]).toMatchObject({ message: expect.stringMatching(/./), extensions: { code: 'BAD_USER_INPUT' } })
  })

  test('a body of more than 256 KB', async () => {
    const response = await fetch(`${node.url}/graphql`, {
      method: 'POST',
      headers: { authorization: 'Bearer an-admin-key-for-tests', 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ viewer { id } }', variables: { long: 'x'.repeat(300_000) } }),
    })
    expect(response.status).toBe(413)
  })
})

describe('who may do what', () => {
  test('no key, a wrong key and one that is nearly right are refused alike', async () => {
    for (const key of [null, 'wrong', 'an-admin-key-for-test', 'an-admin-key-for-testsx', '']) {
      const answer = await node.as(key).post('{ viewer { id } }')
      expect({ status: answer.status, code: answer.errors?.[0]?.extensions.code }).toEqual({
        status: 401,
        code: 'UNAUTHENTICATED',
      })
      expect(await closeCode(key)).toBe(4403)
    }
    const introspection = await node.as(null).post('{ __schema { types { name } } }')
    expect(introspection).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
  })

  test('a key is good until it is revoked', async () => {
    const { id, key } = await createKey('VIEWER')
    expect(await node.as(key).ask('{ viewer { role } }')).toEqual({ viewer: { role: 'VIEWER' } })
    await node.ask('mutation ($id: ID!) { revokeApiKey(id: $id) { __typename } }', { id })
    expect(await node.as(key).post('{ viewer { id } }')).toMatchObject({ status: 401 })
    expect(await closeCode(key)).toBe(4403)
  })

  test('a key is good until it expires', async () => {
    const { key } = await createKey('VIEWER', new Date(Date.now() + 3000).toISOString())
    expect((await node.as(key).post('{ viewer { id } }')).status).toBe(200)
    await vi.waitFor(async () => expect((await node.as(key).post('{ viewer { id } }')).status).toBe(401), {
      timeout: 10_000,
    })
    expect(await closeCode(key)).toBe(4403)
  })

  test('a viewer reads and may not run anything', async () => {
    const viewer = node.as((await createKey('VIEWER')).key)
    const before = await everything()
    await viewer.ask('{ jobs { totalCount } prospects { totalCount } }')
    for (const mutation of [
      `submitJob(input: { scrapeUrlId: "${scrapeUrlId}" }) { __typename }`,
      `cancelJob(id: "${unknown['ScrapingJob']}") { __typename }`,
      `runJob(id: "${unknown['ScrapingJob']}") { __typename }`,
      `retryJob(id: "${unknown['ScrapingJob']}") { __typename }`,
      `saveScrapeUrl(input: { id: "${scrapeUrlId}", active: false }) { __typename }`,
      'createUser(input: { name: "friend", role: ADMIN }) { __typename }',
    ]) {
      const { errors } = await viewer.post(`mutation { ${mutation} }`)
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN')
    }
    expect(await everything()).toEqual(before)
  })

  test('an operator runs jobs and may not manage', async () => {
    const operator = node.as((await createKey('OPERATOR')).key)
    const before = await everything()
    for (const operation of [
      '{ users { id } }',
      `mutation { saveScrapeUrl(input: { id: "${scrapeUrlId}", active: false }) { __typename } }`,
      'mutation { createUser(input: { name: "friend", role: ADMIN }) { __typename } }',
      `mutation { createApiKey(input: { userId: "${unknown['User']}", name: "mine" }) { __typename } }`,
    ]) {
      const { errors } = await operator.post(operation)
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN')
    }
    expect(await everything()).toEqual(before)
    const jobId = await operator.submit({ scrapeUrlId, startDate: day(-1), endDate: day(-1) })
    await operator.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: jobId })
    expect((await operator.untilEnded(jobId)).status).toBe('CANCELLED')
  })
})

describe('serve stops at once, with one line that names the setting,', () => {
  test.each([
    ['the port', { PORT: 'forty' }],
    ['the database', { DATABASE_URL: 'postgres://postgres@127.0.0.1:1/gavel' }],
    [
      'more than one',
      {
        GAVEL_WORKERS: '-1',
        GAVEL_ALLOW_PRIVATE_HOSTS: 'localhost',
        GAVEL_RETRY_DELAYS: '5;25',
        GAVEL_STALE_AFTER: '5',
      },
    ],
  ] as [string, Record<string, string>][])('where %s makes no sense', async (_, settings) => {
    const { code, stderr, stdout } = await gavel.run(['serve'], settings)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    const [line = '', ...more] = stderr.trim().split('\n')
    expect(more).toEqual([])
    expect(Object.keys(settings).filter((name) => !line.includes(name))).toEqual([])
  })

  test('where its port is taken', async () => {
    const port = new URL(node.url).port
    const { code, stderr } = await gavel.run(['serve'], { PORT: port, GAVEL_WORKERS: '0', LOG_LEVEL: 'error' })
    expect(code).toBe(1)
    expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(new RegExp(`PORT.*${port}`))])
  })
})

/** The error that a mutation answers; fails where it changed anything. */
async function refusedBy(mutation: string, type: string, input: Record<string, unknown>) {
  const before = await everything()
  const answer = await node.ask(
    `mutation ($input: ${type}!) {
      ${mutation}(input: $input) {
        __typename
        ... on Error { message }
        ... on InvalidInputError { issues { path message } }
        ... on ConflictError { reason }
      }
    }`,
    { input },
  )
  expect(await everything()).toEqual(before)
  return answer[mutation]
}

/** What a refused change would have changed. */
async function everything(): Promise<unknown> {
  const { db } = gavel
  return {
    jobs: await db.selectFrom('jobs').select(['id', 'status', 'sequence']).orderBy('id').execute(),
    scrapeUrls: await db.selectFrom('scrapeUrls').selectAll().orderBy('id').execute(),
    users: await db.selectFrom('users').selectAll().orderBy('id').execute(),
    keys: await db.selectFrom('apiKeys').select(['id', 'revokedAt']).orderBy('id').execute(),
  }
}

let people = 0

async function createKey(role: string, expiresAt?: string): Promise<{ id: string; key: string }> {
  people += 1
  const { createUser } = await node.ask(
    'mutation ($input: CreateUserInput!) { createUser(input: $input) { ... on CreateUserSuccess { user { id } } } }',
    { input: { name: `${role} ${people}`, role } },
  )
  const { createApiKey } = await node.ask(
    `mutation ($input: CreateApiKeyInput!) {
      createApiKey(input: $input) { ... on CreateApiKeySuccess { secret apiKey { id } } ... on InvalidInputError { issues { message } } }
    }`,
    { input: { userId: createUser.user.id, name: 'test', expiresAt } },
  )
  return { id: createApiKey.apiKey.id, key: createApiKey.secret }
}

/** With which code a socket is closed that gives this key. */
async function closeCode(key: string | null): Promise<number> {
  const socket = new WebSocket(`${node.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws')
  await once(socket, 'open')
  const closed = once(socket, 'close')
  socket.send(
    JSON.stringify({ type: 'connection_init', payload: key === null ? {} : { authorization: `Bearer ${key}` } }),
  )
  const [code] = await closed
  return code as number
}
