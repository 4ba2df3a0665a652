import { Writable } from 'node:stream'
import { getIntrospectionQuery } from 'graphql'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { encodeCursor } from '../../src/db/pages.ts'
import { adminKey, idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertProspects } from '../support/prospects.ts'
import { ways } from '../support/ways.ts'

// What an attacker of a GraphQL API tries first. Beside these: who may see and do what stands in roles.test.ts and
// keyLife.test.ts, rates and what is open at once in admission.test.ts, origins and forms in cors.test.ts, what errors
// tell and how long a statement may take in errors.test.ts, clients that stall in slowClients.test.ts, and what a
// socket puts up with in webSocketProtocol.test.ts.

const { allStates } = vi.hoisted(() => ({ allStates: vi.fn<() => unknown[]>(() => []) }))
vi.mock('../../src/db/places.ts', async (original) => ({ ...(await original<object>()), allStates }))

const logged: string[] = []
const sink = new Writable({
  write(line: Buffer, _encoding, done) {
    logged.push(line.toString())
    done()
  },
})

const cities = ["O'Brien", 'Baldwin', '100%']

let api: TestApi
beforeAll(async () => {
  api = await startTestApi({ log: pino({ level: 'trace' }, sink) })
  await insertProspects(
    api.db,
    cities.map((city) => ({ city })),
  )
})
afterAll(() => api.stop())

const times = (count: number, text: (i: number) => string) => Array.from({ length: count }, (_, i) => text(i)).join(' ')

describe('documents made to be costly are refused before a resolver runs', () => {
  const pages = 'prospects(first: 200) { nodes { changes(first: 200) { nodes { id } } } }'
  const documents: [string, string, string, RegExp][] = [
    ['101 aliases', `{ ${times(101, (i) => `a${i}: states { name }`)} }`, 'BAD_USER_INPUT', /Aliases limit of 15/],
    [
      '11 directives',
      `{ states { ${times(11, () => 'name @include(if: true)')} } }`,
      'BAD_USER_INPUT',
      /Directives limit of 10/,
    ],
    ['1,001 tokens', `{ states { ${times(1_000, () => 'name')} } }`, 'BAD_USER_INPUT', /Token limit of 1000/],
    ['3,000 fields', `{ ${times(3_000, () => 'states { name }')} }`, 'BAD_USER_INPUT', /Token limit/],
    [
      '1,000 fields at the root',
      `{ states { name } ${times(1_000, () => '__typename')} }`,
      'BAD_USER_INPUT',
      /Token limit/,
    ],
    [
      'depth 13',
      `{ states { name } job(id: "x") { ${times(11, () => 'clonedFrom {')} id ${times(12, () => '}')} }`,
      'BAD_USER_INPUT',
      /depth limit of 12/,
    ],
    [
      'depth 13 through fragments',
      `query { states { name } job(id: "x") { ...a } }
       fragment a on ScrapingJob { ${times(5, () => 'clonedFrom {')} ...b ${times(6, () => '}')}
       fragment b on ScrapingJob { ${times(6, () => 'clonedFrom {')} id ${times(7, () => '}')}`,
      'BAD_USER_INPUT',
      /depth limit of 12/,
    ],
    [
      'fragments in a circle',
      '{ states { ...a } } fragment a on State { ...b } fragment b on State { ...a }',
      'BAD_USER_INPUT',
      /fragment/,
    ],
    [
      'introspection in a circle',
      `{ states { name } __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }`,
      'BAD_USER_INPUT',
      /introspection depth/i,
    ],
    ['more rows than may be asked for', `{ states { name } ${pages} }`, 'COST_LIMIT', /could return 40\d\d\d rows/],
    [
      'more rows in a subscription',
      `subscription { jobStatus(jobId: "x") { job { ${pages} } } }`,
      'COST_LIMIT',
      /could return 40\d\d\d rows/,
    ],
  ]
  describe.each(ways)('over %s', (_way, ask) => {
    test.each(documents)('%s', async (_what, query, code, message) => {
      allStates.mockClear()
      const { data, errors } = await ask(api, { query })
      expect(errors.length).toBeGreaterThan(0)
      for (const { extensions } of errors) expect(extensions.code).toBe(code)
      expect(errors.map((error) => error.message).join('\n')).toMatch(message)
      expect(data).toEqual([])
      expect(allStates).not.toHaveBeenCalled()
    })

    test('the same field 400 times is one field', async () => {
      allStates.mockClear()
      expect((await ask(api, { query: `{ ${times(150, () => 'states { name }')} }` })).errors).toEqual([])
      expect(allStates).toHaveBeenCalledTimes(1)
    })
  })
})

describe('pages and ids beyond the limits are refused with every issue', () => {
  const forged = encodeCursor("AUCTION_DATE'; drop table prospects; --", 0, ["' or 1=1 --"])
  const refusals: [string, string, string[]][] = [
    ['a page of 201', '{ prospects(first: 201) { nodes { id } } }', ['first']],
    ['a page of -1', '{ prospects(last: -1) { nodes { id } } }', ['last']],
    ['both ends', '{ prospects(first: 1, last: 1) { nodes { id } } }', ['first']],
    ['a page of 2^31', '{ prospects(first: 2147483648) { nodes { id } } }', ['']],
    ['a cursor that is forged', `{ prospects(first: 1, after: "${forged}") { nodes { id } } }`, ['after']],
    [
      'a nested page of 201',
      '{ county(state: "FL", name: "Duval") { prospects(first: 201) { nodes { id } } } }',
      ['first'],
    ],
    ['101 ids', `{ nodes(ids: [${times(101, () => '"x"')}]) { id } }`, ['ids']],
  ]
  describe.each(ways)('over %s', (_way, ask) => {
    test.each(refusals)('%s', async (_what, query, paths) => {
      const { errors } = await ask(api, { query })
      expect(errors.map(({ extensions }) => extensions)).toEqual([
        {
          code: 'BAD_USER_INPUT',
          issues: paths.map((path) => ({ path: path === '' ? [] : [path], message: expect.any(String) })),
        },
      ])
    })
  })
})

describe('SQL in what is asked for', () => {
  const strings = [
    "' or '1'='1",
    "'; drop table prospects; --",
    '" or ""="',
    "\\' or 1=1 --",
    "O'Brien' union select secret from api_keys --",
    '%',
    '_',
    "') or true --",
    '${1}',
    '$1',
    '\u0000',
    '\ud800',
  ]
  const filters = ['city', 'caseNumber', 'parcelId', 'auctionId', 'certificateNumber', 'search']

  test.each(filters)('finds nothing by the filter %s, and changes nothing', async (field) => {
    const query = 'query ($filter: ProspectFilter) { prospects(filter: $filter) { totalCount } }'
    for (const text of strings) {
      const { data, errors } = await api.post(query, { filter: { [field]: text } })
      // What cannot be text in the database, or holds nothing to look for, is refused.
      const refused = errors?.every(({ extensions }) => extensions.code === 'BAD_USER_INPUT') ?? false
      const expected = ['city', 'search'].includes(field) ? cities.filter((city) => city.includes(text)).length : 0
      expect([text, refused ? expected : data.prospects.totalCount]).toEqual([text, expected])
    }
    expect(await api.ask('{ prospects { totalCount } }')).toEqual({ prospects: { totalCount: 3 } })
  })

  test('is text like any other where it is text', async () => {
    const query = 'query ($filter: ProspectFilter) { prospects(filter: $filter) { nodes { city } } }'
    for (const city of ["O'Brien", '100%']) {
      expect(await api.ask(query, { filter: { city } })).toEqual({ prospects: { nodes: [{ city }] } })
    }
  })

  test('is no order, no state, no id', async () => {
    for (const text of strings) {
      const variables = { text }
      const order = await api.post(
        'query ($text: ProspectOrderField!) { prospects(orderBy: { field: $text, direction: ASC }) { totalCount } }',
        variables,
      )
      expect(order.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
      const found = await api.post(
        'query ($text: ID!, $state: String!) { job(id: $text) { id } node(id: $text) { id } county(state: $state, name: "Duval") { id } }',
        { text, state: text },
      )
      expect(found.errors?.map(({ extensions }) => extensions.code) ?? []).not.toContain('INTERNAL_SERVER_ERROR')
      for (const type of ['ScrapingJob', 'County', 'State', 'Prospect', 'User']) {
        expect(await api.ask('query ($id: ID!) { node(id: $id) { id } }', { id: idOf(type, text) })).toEqual({
          node: null,
        })
      }
    }
  })
})

describe('input of unusual size or shape', () => {
  test('a text of 1 MB is refused with 413', async () => {
    const { status } = await api.post('query ($text: String!) { county(state: "FL", name: $text) { id } }', {
      text: 'x'.repeat(1024 * 1024),
    })
    expect(status).toBe(413)
  })

  test('variables nested 30,000 deep are answered', async () => {
    const nested = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
    const query = 'query ($filter: ProspectFilter) { prospects(filter: $filter) { totalCount } }'
    const response = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey}` },
      body: `{"query":${JSON.stringify(query)},"variables":{"filter":${nested}}}`,
    })
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] })
    await api.ask('{ viewer { name } }')
  })

  test.each(['__proto__', 'constructor', 'toString'])('%s as a name is a name', async (name) => {
    const ask = async (body: string) => {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey}` },
        body,
      })
      return (await response.json()) as { data?: unknown; errors?: { extensions: { code: string } }[] }
    }
    const unknown = await ask(`{"query":"query A { __typename }","operationName":"${name}"}`)
    expect(unknown.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    const variables = await ask(
      `{"query":"query ($a: Int) { jobs(first: $a) { nodes { id } } }","variables":{"${name}":{"a":1}}}`,
    )
    expect(variables.errors).toBeUndefined()
    expect((await api.post(`{ ${name} }`)).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    expect(({} as Record<string, unknown>)['a']).toBeUndefined()
  })
})

describe('nobody who is not signed in learns anything of the schema', () => {
  const questions = [getIntrospectionQuery(), '{ __type(name: "User") { name } }', '{ jobz { id } }', '{']
  test('over HTTP and server-sent events', async () => {
    for (const accept of ['application/json', 'text/event-stream']) {
      for (const query of questions) {
        const response = await fetch(`${api.url}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept },
          body: JSON.stringify({ query }),
        })
        expect(response.status).toBe(401)
        expect(await response.text()).not.toMatch(/jobs|mean|Query|Syntax/)
      }
    }
  })

  test('over WebSocket', async () => {
    const asked = api.client(null).iterate({ query: getIntrospectionQuery() }).next()
    await expect(asked).rejects.toMatchObject({ code: 4403 })
  })
})

test('no line of the log holds a key, a variable or a document, whatever fails', async () => {
  const { key } = await api.keyOf('VIEWER')
  allStates.mockImplementation(() => {
    throw new Error('a fault')
  })
  const marked = {
    query: 'query Marked($state: String!) { states { name } county(state: $state, name: "x") { id } }',
    variables: { state: 'Marked-variable' },
  }
  for (const [, ask] of ways) expect((await ask(api, marked)).errors).toHaveLength(1)
  await api.post(marked.query, marked.variables, key)
  await api.post(marked.query, marked.variables, 'gavel_marked_guess')
  await fetch(`${api.url}/graphql?query={states{name}}&key=${key}`, { headers: { authorization: `Bearer ${key}` } })
  const lines = logged.join('')
  expect(lines).toContain('an operation failed')
  for (const hidden of [adminKey, key, 'gavel_marked_guess', 'Marked', 'Bearer']) expect(lines).not.toContain(hidden)
})
