import { Writable } from 'node:stream'
import { sql } from 'kysely'
import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { type Answer, adminKey, idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { type Operation, ways } from '../support/ways.ts'

const { allStates } = vi.hoisted(() => ({ allStates: vi.fn<(db: Database) => unknown>() }))
vi.mock('../../src/db/places.ts', async (original) => ({ ...(await original<object>()), allStates }))

type Errors = NonNullable<Answer['errors']>

const logged: Record<string, unknown>[] = []
const sink = new Writable({
  write(line: Buffer, _encoding, done) {
    logged.push(JSON.parse(line.toString()) as Record<string, unknown>)
    done()
  },
})

const statementMs = 2_000
let api: TestApi
let jobId: string
beforeAll(async () => {
  api = await startTestApi({ log: pino({}, sink), statementMs })
  const { id, countyFips } = await insertSite(api.db)
  jobId = idOf('ScrapingJob', (await insertJob(api.db, { id, countyFips }, { startDate: '2026-03-16' })).id)
})
afterEach(() => {
  allStates.mockReset()
  vi.restoreAllMocks()
})
afterAll(() => api.stop())

/** What nobody outside may see: SQL, paths, stacks, names of classes, what the test hides. */
const internal =
  /secret|select |relation|\/[a-z]+\/|\.ts\b|node_modules|\bat \w|pg|postgres|timeout|Exception|TypeError/i

/** What the log has under the id of the one error, of which the answer tells nothing. */
function loggedBehind(errors: Errors): string {
  expect(errors).toHaveLength(1)
  const [{ message, extensions }] = errors as [Errors[number]]
  expect(extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR', id: expect.any(String) })
  expect(message).toBe(`Something went wrong on our side. The log knows it as ${String(extensions['id'])}.`)
  expect(JSON.stringify(errors)).not.toMatch(internal)
  const lines = logged.filter((line) => line['errorId'] === extensions['id'])
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ level: 50, err: { stack: expect.stringContaining('\n    at ') } })
  return JSON.stringify(lines[0])
}

describe('a fault of ours is masked, and the id in the answer finds the whole error in the log', () => {
  const faults: [string, RegExp, (db: Database) => unknown][] = [
    ['the database refuses', /relation \\"secret\\" does not exist/, (db) => sql`select * from secret`.execute(db)],
    [
      'a resolver throws',
      /secret of \/srv\/gavel/,
      () => {
        throw new TypeError('the secret of /srv/gavel/x.ts')
      },
    ],
    [
      'a resolver throws what is no error',
      /a secret text/,
      () => {
        // oxlint-disable-next-line typescript/only-throw-error -- what a library might do
        throw 'a secret text'
      },
    ],
    ['something was aborted', /AbortError/, () => AbortSignal.abort().throwIfAborted()],
    ['a value is missing', /Cannot return null for non-nullable field State.name/, () => [{ code: 'FL', name: null }]],
    ['a value does not fit its type', /String cannot represent value/, () => [{ code: 'FL', name: { secret: 1 } }]],
  ]

  describe.each(ways)('over %s', (_way, ask) => {
    test.each(faults)('%s', async (_what, logs, fail) => {
      allStates.mockImplementation(async (db: Database) => await fail(db))
      expect(loggedBehind((await ask(api, { query: '{ states { name } }' })).errors)).toMatch(logs)
    })
  })

  test.each(ways.slice(1))('a subscription over %s fails half way', async (_way, ask) => {
    const [job] = await api.db.selectFrom('jobs').selectAll().execute()
    vi.spyOn(api.events, 'watchJob').mockImplementation(async function* () {
      yield { kind: 'SNAPSHOT', jobId: job?.id, sequence: 1, status: 'PENDING', job } as never
      await sql`select * from secret`.execute(api.db)
    })
    const query = 'subscription ($id: ID!) { jobStatus(jobId: $id) { sequence } }'
    expect(loggedBehind((await ask(api, { query, variables: { id: jobId } })).errors)).toContain('does not exist')
  })

  test.each(ways.slice(1))('a subscription over %s cannot begin', async (_way, ask) => {
    vi.spyOn(api.events, 'watchJob').mockImplementation(() => {
      throw new Error('secret')
    })
    const query = 'subscription ($id: ID!) { jobStatus(jobId: $id) { sequence } }'
    expect(loggedBehind((await ask(api, { query, variables: { id: jobId } })).errors)).toContain('"message":"secret"')
  })
})

test('a statement that takes longer than it may, be it by waiting, is cancelled, and answered as any fault of ours', async () => {
  const query = '{ county(state: "FL", name: "Duval") { id } }'
  await api.db.transaction().execute(async (other) => {
    await sql`lock table counties in access exclusive mode`.execute(other)
    for (const [, ask] of ways) expect(loggedBehind((await ask(api, { query })).errors)).toContain('57014')
  })
  await api.ask(query)
})

describe('what is wrong with a request is BAD_USER_INPUT with its issues, and no fault of ours', () => {
  const dated = 'query ($from: Date) { prospects(filter: { auctionDate: { from: $from } }) { nodes { id } } }'
  const requests: [string, Operation][] = [
    ['a document that is none', { query: '{ viewer' }],
    ['a field that is not there', { query: '{ secrets }' }],
    ['a scalar in the document', { query: dated.replace('($from: Date)', '').replace('$from', '"2026-02-30"') }],
    ['a scalar in the variables', { query: dated, variables: { from: '2026-02-30' } }],
    ['a scalar of another type', { query: dated, variables: { from: { a: [1] } } }],
    ['a cursor that is forged', { query: '{ jobs(after: "secret") { nodes { id } } }' }],
    ['an operation that is not named', { query: 'query A { __typename } query B { __typename }' }],
    ['no operation', { query: 'fragment A on Query { __typename }' }],
  ]
  describe.each(ways)('over %s', (_way, ask) => {
    test.each(requests)('%s', async (_what, operation) => {
      const before = logged.length
      const { errors } = await ask(api, operation)
      expect(errors.length).toBeGreaterThan(0)
      for (const { extensions } of errors) {
        expect(extensions).toMatchObject({ code: 'BAD_USER_INPUT', issues: [{ message: expect.any(String) }] })
      }
      expect(JSON.stringify(errors)).not.toMatch(/stack|node_modules|\.ts\b|originalError/)
      expect(logged.slice(before)).toEqual([])
    })
  })

  const json = { 'content-type': 'application/json' }
  test.each<[string, string, RequestInit]>([
    ['a body that is no JSON', '', { method: 'POST', headers: json, body: '{' }],
    ['an empty body', '', { method: 'POST', headers: json, body: '' }],
    ['a query that is no text', '', { method: 'POST', headers: json, body: '{"query":1}' }],
    ['no query', '', { method: 'POST', headers: json, body: '{}' }],
    ['several operations', '', { method: 'POST', headers: json, body: '[{"query":"{__typename}"}]' }],
    ['variables that are none', '', { method: 'POST', headers: json, body: '{"query":"{a}","variables":[]}' }],
    ['a parameter that is not known', '', { method: 'POST', headers: json, body: '{"query":"{a}","secret":1}' }],
    ['a large body', '', { method: 'POST', headers: json, body: `{"query":"${'x'.repeat(300_000)}"}` }],
    ['another method', '', { method: 'PUT', headers: json, body: '{"query":"{a}"}' }],
    ['a mutation by GET', '?query=mutation{runJob(id:"x"){__typename}}', {}],
    ['variables by GET that are no JSON', '?query={__typename}&variables=secret', {}],
    ['extensions by GET that are no JSON', '?query={__typename}&extensions={', {}],
  ])('in HTTP itself: %s', async (_what, search, init) => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${adminKey}`)
    headers.set('accept', 'application/graphql-response+json')
    const before = logged.length
    const response = await fetch(`${api.url}/graphql${search}`, { ...init, headers })
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(response.status).toBeLessThan(500)
    const { errors } = (await response.json()) as { errors: Errors }
    expect(errors.map(({ extensions }) => Object.keys(extensions).sort())).toEqual([['code', 'issues']])
    expect(errors[0]?.extensions.code).toBe('BAD_USER_INPUT')
    expect(logged.slice(before)).toEqual([])
  })
})

test('a client that leaves while its query runs costs nothing but the query', async () => {
  let cancelled: unknown
  allStates.mockImplementation(async (db: Database) => {
    cancelled = await sql`select pg_sleep(60)`.execute(db).catch((error: unknown) => error)
    throw cancelled
  })
  const leave = new AbortController()
  const asked = fetch(`${api.url}/graphql?query={states{name}}`, {
    headers: { authorization: `Bearer ${adminKey}` },
    signal: leave.signal,
  })
  await vi.waitFor(() => expect(allStates).toHaveBeenCalled(), 10_000)
  leave.abort()
  await expect(asked).rejects.toThrow(/abort/)
  await vi.waitFor(() => expect(cancelled).toMatchObject({ code: '57014' }), 20_000)
  await api.ask('{ viewer { name } }')
})
