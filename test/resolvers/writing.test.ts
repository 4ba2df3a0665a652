import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ScrapeUrlRow } from '../../src/db/tables.ts'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertJob, insertSite } from '../support/rows.ts'

let api: TestApi
let site: ScrapeUrlRow
beforeAll(async () => {
  api = await startTestApi()
  site = await insertSite(api.db)
})
afterAll(() => api.stop())

const refusals = `... on InvalidInputError { issues { path message } } ... on NotFoundError { id }
  ... on ConflictError { reason inTheWay: job { id } } ... on Error { message }`
const miami = idOf('County', '12086')
const nobody = '00000000-0000-4000-8000-000000000000'

describe('saveScrapeUrl', () => {
  const save = async (input: Record<string, unknown>) =>
    (
      await api.ask(
        `mutation($input: SaveScrapeUrlInput!) { saveScrapeUrl(input: $input) { __typename
        ... on SaveScrapeUrlSuccess { scrapeUrl { id url platform auctionType transport active timezone options county { name } createdBy { name } } }
        ... on InvalidInputError { issues { path message } } ... on NotFoundError { id } ... on ConflictError { reason }
        ... on Error { message } } }`,
        { input },
      )
    ).saveScrapeUrl

  test('creates, then changes what is given, keeps what is left out, and null clears', async () => {
    const url = 'https://www.miamidade.example.com/index.cfm'
    const made = await save({
      countyId: miami,
      url,
      platform: 'REALAUCTION',
      auctionType: 'FORECLOSURE',
      options: { a: 1 },
    })
    expect(made.scrapeUrl).toEqual({
      id: expect.any(String),
      url,
      platform: 'REALAUCTION',
      auctionType: 'FORECLOSURE',
      transport: 'AUTO',
      active: true,
      timezone: 'America/New_York',
      options: { a: 1 },
      county: { name: 'Miami-Dade' },
      createdBy: { name: 'admin' },
    })
    const { id } = made.scrapeUrl
    const changed = await save({
      id,
      auctionType: null,
      transport: 'BROWSER',
      active: false,
      timezone: 'America/Chicago',
    })
    expect(changed.scrapeUrl).toEqual({
      ...made.scrapeUrl,
      auctionType: null,
      transport: 'BROWSER',
      active: false,
      timezone: 'America/Chicago',
    })
    const cleared = await save({ id, timezone: null, transport: null, active: null, options: null })
    expect(cleared.scrapeUrl).toMatchObject({
      timezone: 'America/New_York',
      transport: 'AUTO',
      active: true,
      options: {},
    })
    const row = await api.db.selectFrom('scrapeUrls').select('siteKey').where('url', '=', url).executeTakeFirstOrThrow()
    expect(row.siteKey).toBe('miamidade.example.com')
  })

  test('a site that is saved already: ALREADY_EXISTS, when it is made and when it is changed', async () => {
    const one = { countyId: miami, url: 'https://one.example.com/', platform: 'REALAUCTION' }
    await save(one)
    const two = await save({ ...one, url: 'https://two.example.com/' })
    expect(await save({ ...one, url: 'https://www.one.example.com/other' })).toMatchObject({ reason: 'ALREADY_EXISTS' })
    expect(await save({ id: two.scrapeUrl.id, url: one.url })).toMatchObject({ reason: 'ALREADY_EXISTS' })
  })

  test('everything that is wrong is told at once', async () => {
    const paths = async (input: Record<string, unknown>) =>
      ((await save(input)).issues as { path: string[] }[]).map((issue) => issue.path.join('.'))
    expect(await paths({})).toEqual(['countyId', 'url', 'platform'])
    const wrong = {
      countyId: miami,
      url: 'ftp://x.example/',
      platform: 'HTML_TABLE',
      timezone: 'Nowhere',
      options: [1],
    }
    expect(await paths(wrong)).toEqual(['url', 'timezone', 'options'])
  })

  test.each([
    'https://user:pass@x.example.com/',
    'http://127.0.0.1/',
    'http://2130706433/',
    'http://[::1]/',
    'http://localhost:3000/',
    'http://10.0.0.8/',
    'http://169.254.169.254/latest/meta-data',
    'javascript:alert(1)',
    'file:///etc/passwd',
  ])('%s is refused', async (url) => {
    const refused = await save({ countyId: miami, url, platform: 'REALAUCTION' })
    expect(refused).toMatchObject({ __typename: 'InvalidInputError', issues: [{ path: ['url'] }] })
  })

  test('a private address that is allowed is saved', async () => {
    const saved = await save({ countyId: miami, url: 'http://127.0.0.1:8099/', platform: 'REALAUCTION' })
    expect(saved).toMatchObject({ __typename: 'SaveScrapeUrlSuccess' })
  })

  test('a county or a scrape URL that is not there is not found', async () => {
    for (const countyId of [idOf('County', '99999'), 'nonsense', idOf('State', 'FL')]) {
      const missing = { countyId, url: 'https://three.example.com/', platform: 'REALAUCTION' }
      expect(await save(missing)).toMatchObject({ __typename: 'NotFoundError', id: countyId })
    }
    for (const id of ['nonsense', idOf('CountyScrapeUrl', nobody)]) {
      expect(await save({ id, active: false })).toMatchObject({ __typename: 'NotFoundError', id })
    }
  })
})

describe('jobs', () => {
  const submit = async (input: Record<string, unknown>) =>
    (
      await api.ask(
        `mutation($input: SubmitJobInput!) { submitJob(input: $input) { __typename
        ... on SubmitJobSuccess { job { id name status held sequence createdBy { name } days { outcome } } } ${refusals} } }`,
        { input },
      )
    ).submitJob
  const run = async (mutation: string, id: string) =>
    (
      await api.ask(
        `mutation($id: ID!) { ${mutation}(id: $id) { __typename
        ... on ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Success { job { status } } ... on NotFoundError { id }
        ... on ConflictError { reason inTheWay: job { id } } ... on Error { message } } }`,
        { id },
      )
    )[mutation]

  test('submitJob, runJob and cancelJob do what they say', async () => {
    const scrapeUrlId = idOf('CountyScrapeUrl', site.id)
    const days = { startDate: '2026-03-16', endDate: '2026-03-18' }
    const { job } = await submit({ scrapeUrlId, ...days, hold: true })
    expect(job).toMatchObject({
      name: 'FL Duval 2026-03-16..2026-03-18',
      status: 'PENDING',
      held: true,
      createdBy: { name: 'admin' },
      days: [{ outcome: 'PENDING' }, { outcome: 'PENDING' }, { outcome: 'PENDING' }],
    })
    expect(await run('retryJob', job.id)).toMatchObject({ reason: 'NOT_FAILED', inTheWay: { id: job.id } })
    expect(await run('runJob', job.id)).toMatchObject({ job: { status: 'PENDING' } })
    expect(await run('runJob', job.id)).toMatchObject({ reason: 'JOB_RUNNING' })
    expect(await run('cancelJob', job.id)).toMatchObject({ job: { status: 'CANCELLED' } })
    expect(await run('cancelJob', job.id)).toMatchObject({ reason: 'JOB_FINISHED', inTheWay: { id: job.id } })
  })

  test('submitJob tells every issue at once', async () => {
    const refused = await submit({
      scrapeUrlId: idOf('CountyScrapeUrl', site.id),
      priority: 1000,
      maxAttempts: 0,
      timeoutSeconds: 0,
    })
    const paths = (refused.issues as { path: string[] }[]).map((issue) => issue.path[0])
    expect(new Set(paths)).toEqual(new Set(['maxAttempts', 'priority', 'timeoutSeconds']))
  })

  test('what is not there is not found, by the id that was given', async () => {
    for (const id of ['nonsense', idOf('CountyScrapeUrl', nobody), idOf('ScrapingJob', nobody)]) {
      expect(await submit({ scrapeUrlId: id })).toMatchObject({ __typename: 'NotFoundError', id })
      for (const mutation of ['runJob', 'retryJob', 'cancelJob']) {
        expect(await run(mutation, id)).toMatchObject({ __typename: 'NotFoundError', id })
      }
    }
  })
})

describe('deleteScrapeUrl', () => {
  const remove = async (id: string) =>
    (
      await api.ask(
        `mutation($id: ID!) { deleteScrapeUrl(id: $id) { __typename
        ... on DeleteScrapeUrlSuccess { deletedId } ... on NotFoundError { id }
        ... on ConflictError { reason inTheWay: job { id } } } }`,
        { id },
      )
    ).deleteScrapeUrl

  test('deletes one without jobs, with its schedules', async () => {
    const unused = await insertSite(api.db)
    await api.db.insertInto('schedules').values({ scrapeUrlId: unused.id, cron: '@daily' }).execute()
    const id = idOf('CountyScrapeUrl', unused.id)
    expect(await remove(id)).toEqual({ __typename: 'DeleteScrapeUrlSuccess', deletedId: id })
    expect(await remove(id)).toMatchObject({ __typename: 'NotFoundError', id })
    expect(await remove('nonsense')).toMatchObject({ __typename: 'NotFoundError', id: 'nonsense' })
  })

  test('one with jobs, or with what deleted jobs found, is in use', async () => {
    const used = await insertSite(api.db)
    const id = idOf('CountyScrapeUrl', used.id)
    const job = await insertJob(api.db, used, { startDate: '2026-03-16' })
    expect(await remove(id)).toMatchObject({ reason: 'IN_USE', inTheWay: null })
    await api.db.deleteFrom('jobs').where('id', '=', job.id).execute()
    expect(await remove(id)).toMatchObject({ reason: 'IN_USE' })
    await api.db.deleteFrom('scrapeDays').where('scrapeUrlId', '=', used.id).execute()
    expect(await remove(id)).toMatchObject({ deletedId: id })
  })
})

describe('users and keys', () => {
  const createUser = `mutation($input: CreateUserInput!) { createUser(input: $input) { __typename
    ... on CreateUserSuccess { user { id name role apiKeys { id } } } ... on InvalidInputError { issues { path } }
    ... on ConflictError { reason } } }`
  const createApiKey = `mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename
    ... on CreateApiKeySuccess { secret apiKey { id prefix name user { name } } }
    ... on InvalidInputError { issues { path message } } ... on NotFoundError { id } } }`
  const revokeApiKey = `mutation($id: ID!) { revokeApiKey(id: $id) { __typename
    ... on RevokeApiKeySuccess { apiKey { revokedAt } } ... on NotFoundError { id } } }`

  test('a user is made, gets a key, uses it, and loses it', async () => {
    const { user } = (await api.ask(createUser, { input: { name: 'Ann', role: 'VIEWER' } })).createUser
    const made = (await api.ask(createApiKey, { input: { userId: user.id, name: 'desk' } })).createApiKey
    expect(made.secret).toMatch(/^gavel_[\w-]{43}$/)
    expect(made.apiKey).toMatchObject({ prefix: made.secret.slice(0, 12), name: 'desk', user: { name: 'Ann' } })
    expect(await api.ask('{ viewer { name apiKeys { name } } }', {}, made.secret)).toEqual({
      viewer: { name: 'Ann', apiKeys: [{ name: 'desk' }] },
    })
    const stored = await api.db.selectFrom('apiKeys').selectAll().where('name', '=', 'desk').execute()
    expect(JSON.stringify(stored)).not.toContain(made.secret)
    // Anybody may revoke their own.
    const revoked = (await api.ask(revokeApiKey, { id: made.apiKey.id }, made.secret)).revokeApiKey
    expect(revoked.apiKey.revokedAt).toEqual(expect.any(String))
    expect((await api.post('{ viewer { name } }', {}, made.secret)).status).toBe(401)
  })

  test('a name is taken once, whatever its case, and none is refused', async () => {
    await api.ask(createUser, { input: { name: 'Bob', role: 'VIEWER' } })
    expect((await api.ask(createUser, { input: { name: ' bob ', role: 'ADMIN' } })).createUser).toMatchObject({
      reason: 'ALREADY_EXISTS',
    })
    expect((await api.ask(createUser, { input: { name: ' ', role: 'ADMIN' } })).createUser.issues).toEqual([
      { path: ['name'] },
    ])
    const input = { name: '', expiresAt: '2020-01-01T00:00:00Z' }
    const refused = (await api.ask(createApiKey, { input })).createApiKey
    expect(refused.issues.map((issue: { path: string[] }) => issue.path[0])).toEqual(['name', 'expiresAt'])
    expect((await api.ask(createApiKey, { input: { userId: idOf('User', nobody), name: 'x' } })).createApiKey).toEqual({
      __typename: 'NotFoundError',
      id: idOf('User', nobody),
    })
  })

  const update = async (input: Record<string, unknown>) =>
    (
      await api.ask(
        `mutation($input: UpdateUserInput!) { updateUser(input: $input) { __typename
        ... on UpdateUserSuccess { user { name role active } } ... on InvalidInputError { issues { path } }
        ... on NotFoundError { id } ... on ConflictError { reason } } }`,
        { input },
      )
    ).updateUser

  test('a user is changed in what is given, and the key follows', async () => {
    const { key, userId } = await api.keyOf('VIEWER')
    const id = idOf('User', userId)
    expect((await update({ id, name: ' Eve ', role: null })).user).toEqual({
      name: 'Eve',
      role: 'VIEWER',
      active: true,
    })
    expect((await update({ id, role: 'ADMIN' })).user).toEqual({ name: 'Eve', role: 'ADMIN', active: true })
    await api.ask('{ users { name } }', {}, key)
    expect((await update({ id, active: false })).user).toEqual({ name: 'Eve', role: 'ADMIN', active: false })
    expect((await api.post('{ viewer { name } }', {}, key)).status).toBe(401)
    expect((await update({ id, active: true, name: 'EVE' })).user).toMatchObject({ name: 'EVE', active: true })
    expect(await api.ask('{ viewer { name } }', {}, key)).toEqual({ viewer: { name: 'EVE' } })
  })

  test('a user is not changed into another, nor into nobody', async () => {
    const { userId } = await api.keyOf('VIEWER')
    const other = await api.keyOf('VIEWER')
    const { viewer } = await api.ask('{ viewer { name } }', {}, other.key)
    const id = idOf('User', userId)
    expect(await update({ id, name: viewer.name.toLowerCase() })).toMatchObject({ reason: 'ALREADY_EXISTS' })
    expect(await update({ id, name: ' ' })).toMatchObject({ issues: [{ path: ['name'] }] })
    for (const unknown of ['nonsense', idOf('User', nobody)]) {
      expect(await update({ id: unknown, active: false })).toEqual({ __typename: 'NotFoundError', id: unknown })
    }
  })

  test('keys of others take ADMIN', async () => {
    const one = await api.keyOf('OPERATOR')
    const other = await api.keyOf('OPERATOR')
    const input = { userId: idOf('User', other.userId), name: 'x' }
    expect((await api.post(createApiKey, { input }, one.key)).errors?.[0]?.extensions.code).toBe('FORBIDDEN')
    const id = idOf('ApiKey', other.keyId)
    expect((await api.ask(revokeApiKey, { id }, one.key)).revokeApiKey).toEqual({ __typename: 'NotFoundError', id })
    expect(await api.ask('query($id: ID!) { node(id: $id) { id } }', { id }, one.key)).toEqual({ node: null })
    expect(await api.ask('query($id: ID!) { node(id: $id) { id } }', { id }, other.key)).toEqual({ node: { id } })
    const theirs = 'query($id: ID!) { node(id: $id) { ... on User { name apiKeys { id } } } }'
    const answer = await api.post(theirs, { id: idOf('User', other.userId) }, one.key)
    expect(answer.errors?.[0]?.extensions.code).toBe('FORBIDDEN')
  })
})

describe('who may do what', () => {
  const scrapeUrl = 'input: { url: "https://x.example.com/" }'
  const matrix: [string, string, string[]][] = [
    ['query', '{ users { name } }', ['ADMIN']],
    [
      'query',
      '{ jobs { totalCount } workerPool { pending } states { code } viewer { name } }',
      ['VIEWER', 'OPERATOR', 'ADMIN'],
    ],
    ['submitJob', 'mutation { submitJob(input: { scrapeUrlId: "x" }) { __typename } }', ['OPERATOR', 'ADMIN']],
    ['runJob', 'mutation { runJob(id: "x") { __typename } }', ['OPERATOR', 'ADMIN']],
    ['retryJob', 'mutation { retryJob(id: "x") { __typename } }', ['OPERATOR', 'ADMIN']],
    ['cancelJob', 'mutation { cancelJob(id: "x") { __typename } }', ['OPERATOR', 'ADMIN']],
    ['saveScrapeUrl', `mutation { saveScrapeUrl(${scrapeUrl}) { __typename } }`, ['ADMIN']],
    ['deleteScrapeUrl', 'mutation { deleteScrapeUrl(id: "x") { __typename } }', ['ADMIN']],
    ['updateUser', 'mutation { updateUser(input: { id: "x" }) { __typename } }', ['ADMIN']],
    [
      'statistics and coverage',
      '{ statistics { rowsCollected } prospectStatistics(groupBy: []) { count } coverage(from: "2026-01-01", to: "2026-01-01") { totalCount } }',
      ['VIEWER', 'OPERATOR', 'ADMIN'],
    ],
    ['createUser', 'mutation { createUser(input: { name: "", role: ADMIN }) { __typename } }', ['ADMIN']],
    ['createApiKey', 'mutation { createApiKey(input: { name: "" }) { __typename } }', ['VIEWER', 'OPERATOR', 'ADMIN']],
    ['revokeApiKey', 'mutation { revokeApiKey(id: "x") { __typename } }', ['VIEWER', 'OPERATOR', 'ADMIN']],
  ]
  test.each(matrix)('%s: %s', async (_what, operation, allowed) => {
    for (const role of ['VIEWER', 'OPERATOR', 'ADMIN'] as const) {
      const { errors } = await api.post(operation, {}, (await api.keyOf(role)).key)
      expect([role, errors?.map((error) => error.extensions.code) ?? []]).toEqual([
        role,
        allowed.includes(role) ? [] : ['FORBIDDEN'],
      ])
    }
  })
})
