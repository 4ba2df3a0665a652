import { Writable } from 'node:stream'
import { buildClientSchema, getIntrospectionQuery } from 'graphql'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { adminKey, idOf, startTestApi, type TestApi } from '../support/api.ts'

const logged: Record<string, unknown>[] = []
const log = pino(
  {},
  new Writable({
    write(line: Buffer, _encoding, done) {
      logged.push(JSON.parse(line.toString()) as Record<string, unknown>)
      done()
    },
  }),
)

let api: TestApi
beforeAll(async () => {
  api = await startTestApi({ log })
})
afterAll(() => api.stop())

const authorization = { authorization: `Bearer ${adminKey}` }
const json = { 'content-type': 'application/json' }
const get = async (path: string, headers: Record<string, string> = authorization) =>
  await fetch(`${api.url}${path}`, { headers })
const postRaw = async (body: string, headers: Record<string, string>) =>
  await fetch(`${api.url}/graphql`, { method: 'POST', headers, body })

test('the address is logged', () => {
  expect(logged).toContainEqual(expect.objectContaining({ msg: 'listening', url: api.url }))
})

describe('whoever is not signed in gets 401 and UNAUTHENTICATED', () => {
  test.each([
    ['a query', '{ viewer { name } }'],
    ['introspection', '{ __schema { types { name } } }'],
    ['__typename', '{ __typename }'],
    ['a document with a mistake, and no suggestion', '{ vewer }'],
    ['a document that is none', '{'],
    ['a mutation', 'mutation { runJob(id: "x") { __typename } }'],
  ])('%s', async (_what, query) => {
    for (const key of [null, 'gavel_unknown']) {
      const answer = await api.post(query, {}, key)
      expect(answer).toEqual({
        status: 401,
        errors: [{ message: expect.any(String), extensions: { code: 'UNAUTHENTICATED' } }],
      })
    }
  })

  test('a GET, and a header that is no bearer key', async () => {
    expect((await get('/graphql?query={__typename}', {})).status).toBe(401)
    for (const header of ['', 'Bearer', 'Basic abc', adminKey, 'Bearer a b', `Bearer ${'x'.repeat(600)}`]) {
      expect((await get('/graphql?query={__typename}', { authorization: header })).status).toBe(401)
    }
  })

  test('a revoked key, an expired one, and one whose user is not active', async () => {
    const revoked = await api.keyOf('VIEWER')
    const expired = await api.keyOf('VIEWER')
    const inactive = await api.keyOf('VIEWER')
    for (const { key } of [revoked, expired, inactive]) await api.ask('{ viewer { name } }', {}, key)
    await api.db.updateTable('apiKeys').set({ revokedAt: new Date() }).where('id', '=', revoked.keyId).execute()
    await api.db
      .updateTable('apiKeys')
      .set({ expiresAt: new Date(0) })
      .where('id', '=', expired.keyId)
      .execute()
    await api.db.updateTable('users').set({ active: false }).where('id', '=', inactive.userId).execute()
    for (const { key } of [revoked, expired, inactive]) {
      expect((await api.post('{ viewer { name } }', {}, key)).status).toBe(401)
    }
  })
})

test('the admin key signs in the built-in user, whose row is made at the start', async () => {
  expect(await api.ask('{ viewer { name role } }')).toEqual({ viewer: { name: 'admin', role: 'ADMIN' } })
})

test('the use of a key is noted, at most once a minute', async () => {
  const { key, keyId } = await api.keyOf('VIEWER')
  const used = async () =>
    (await api.db.selectFrom('apiKeys').select('lastUsedAt').where('id', '=', keyId).executeTakeFirstOrThrow())
      .lastUsedAt
  expect(await used()).toBeNull()
  await api.ask('{ viewer { name } }', {}, key)
  const first = await used()
  expect(first).toBeInstanceOf(Date)
  await api.ask('{ viewer { name } }', {}, key)
  expect(await used()).toEqual(first)
})

describe('over HTTP', () => {
  test('queries go by GET, mutations do not', async () => {
    const response = await get(`/graphql?query=${encodeURIComponent('{ viewer { name } }')}`)
    expect(await response.json()).toEqual({ data: { viewer: { name: 'admin' } } })
    const mutation = encodeURIComponent('mutation { runJob(id: "x") { __typename } }')
    expect((await get(`/graphql?query=${mutation}`)).status).toBe(405)
  })

  test('a body of more than 256 KB is refused, and so are several operations at once', async () => {
    const large = JSON.stringify({ query: '{ __typename }', variables: { text: 'x'.repeat(257 * 1024) } })
    expect((await postRaw(large, { ...json, ...authorization })).status).toBe(413)
    const batch = JSON.stringify([{ query: '{ __typename }' }])
    expect((await postRaw(batch, { ...json, ...authorization })).status).toBe(400)
  })

  test('live and ready say so, anything else is not found', async () => {
    expect(await (await get('/health/live', {})).json()).toEqual({ status: 'live' })
    expect(await (await get('/health/ready', {})).json()).toEqual({ status: 'ready' })
    for (const path of ['/nothing', '/__proto__', '/constructor']) expect((await get(path)).status).toBe(404)
  })

  test('GraphiQL is one page with nothing from elsewhere and no schema in it, for anybody', async () => {
    const response = await get('/graphiql', {})
    expect(response.status).toBe(200)
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    const page = await response.text()
    expect(page).not.toMatch(/<(script|link|img)[^>]*(src|href)="?https?:/)
    expect(page).not.toContain('CountyScrapeUrl')
    expect(page).toContain('"endpoint":"/graphql"')
  })
})

describe('limits', () => {
  const refused = async (query: string, variables: Record<string, unknown> = {}) => {
    const answer = await api.post(query, variables)
    expect(answer.data ?? null).toBeNull()
    return answer.errors?.map((error) => [error.extensions.code, error.message]) ?? []
  }

  test('depth 12', async () => {
    const clones = (depth: number): string => (depth === 1 ? 'id' : `clonedFrom { ${clones(depth - 1)} }`)
    const query = (depth: number) => `{ job(id: "x") { ${clones(depth - 1)} } }`
    await api.ask(query(12))
    expect(await refused(query(13))).toEqual([['BAD_USER_INPUT', expect.stringContaining('depth limit of 12')]])
  })

  test('15 aliases, 10 directives, 1,000 tokens', async () => {
    const aliases = (count: number) =>
      `{ ${Array.from({ length: count }, (_, i) => `a${i}: viewer { name }`).join(' ')} }`
    await api.ask(aliases(15))
    expect(await refused(aliases(16))).toEqual([['BAD_USER_INPUT', expect.stringContaining('Aliases limit')]])
    const directives = `{ viewer { ${'name @include(if: true) '.repeat(11)} } }`
    expect(await refused(directives)).toEqual([['BAD_USER_INPUT', expect.stringContaining('Directives limit')]])
    expect(await refused(`{ viewer { ${'name '.repeat(1_000)} } }`)).toEqual([
      ['BAD_USER_INPUT', expect.stringContaining('Token limit')],
    ])
  })

  test('what could return more than 20,000 rows is refused before it runs', async () => {
    const nested = 'query($n: Int) { jobs(first: 100) { nodes { prospects(first: $n) { nodes { id } } } } }'
    await api.ask(nested, { n: 199 })
    expect(await refused(nested, { n: 200 })).toEqual([['COST_LIMIT', expect.stringContaining('20100 rows')]])
    await api.ask(
      '{ prospects(first: 200) { edges { node { id county { name } listings { url } siblings { id } } } } }',
    )
    await api.ask('{ states { name counties { name } } }')
  })

  test('100 ids for nodes', async () => {
    const ids = Array.from({ length: 101 }, () => idOf('State', 'FL'))
    const query = 'query($ids: [ID!]!) { nodes(ids: $ids) { id } }'
    expect((await api.ask(query, { ids: ids.slice(1) })).nodes).toHaveLength(100)
    expect(await refused(query, { ids })).toEqual([['BAD_USER_INPUT', expect.stringContaining('at most 100')]])
  })

  test('pages, their cursors and filters: refused with every issue', async () => {
    const answer = await api.post('{ prospects(first: 201, last: -1, after: "forged") { nodes { id } } }')
    expect(answer.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      issues: [{ path: ['first'] }, { path: ['last'] }, { path: ['first'] }, { path: ['after'] }],
    })
    expect(await refused('{ jobs(filter: { status: [] }) { nodes { id } } }')).toEqual([
      ['BAD_USER_INPUT', expect.stringContaining('must not be an empty list')],
    ])
    expect(await refused('{ jobs(filter: { ids: ["x"] }) { nodes { id } } }')).toEqual([
      ['BAD_USER_INPUT', expect.stringContaining('is not the id of a ScrapingJob')],
    ])
  })

  test.each([
    ['a day that is none', '{ prospects(filter: { auctionDate: { from: "2026-02-30" } }) { nodes { id } } }'],
    ['an instant without a zone', '{ jobs(filter: { createdAt: { from: "2026-02-03T10:00:00" } }) { nodes { id } } }'],
    ['two places in one', '{ prospects(filter: { places: [{ state: "FL", countyId: "x" }] }) { nodes { id } } }'],
    ['a field that is not there', '{ viewer { nam } }'],
    ['a document that is none', '{ viewer'],
  ])('%s: BAD_USER_INPUT', async (_what, query) => {
    for (const [code] of await refused(query)) expect(code).toBe('BAD_USER_INPUT')
  })

  test('variables that do not fit: BAD_USER_INPUT', async () => {
    const query = 'query($d: Date) { prospects(filter: { auctionDate: { from: $d } }) { nodes { id } } }'
    expect(await refused(query, { d: '2026-02-30' })).toEqual([['BAD_USER_INPUT', expect.any(String)]])
  })
})

test('whoever is signed in may introspect', async () => {
  const answer = await api.ask(getIntrospectionQuery(), {}, (await api.keyOf('VIEWER')).key)
  expect(buildClientSchema(answer).getType('ScrapingJob')).toBeDefined()
})

test('a fault of ours is masked, with an id that the log knows', async () => {
  await api.db.schema.alterTable('states').renameTo('hidden_states').execute()
  const answer = await api.post('{ states { name } }')
  await api.db.schema.alterTable('hidden_states').renameTo('states').execute()
  expect(answer.data).toBeNull()
  const [error] = answer.errors ?? []
  expect(error?.extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', id: expect.any(String) })
  expect(JSON.stringify(answer)).not.toMatch(/relation|select|\.ts|stack/)
  const id = error?.extensions['id']
  expect(logged.find((line) => line['errorId'] === id)).toMatchObject({
    err: { message: expect.stringContaining('relation "states" does not exist') },
  })
})

test('nothing that was logged holds a key', () => {
  expect(JSON.stringify(logged)).not.toContain(adminKey)
})
