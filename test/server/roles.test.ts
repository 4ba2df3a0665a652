import { type GraphQLObjectType, getNamedType, isUnionType } from 'graphql'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { schema } from '../../src/schema/schema.ts'
import { type Answer, startTestApi, type TestApi } from '../support/api.ts'
import { inhabit } from '../support/inhabited.ts'
import { below, everyField, isNode, objectTypes, type Selecting } from '../support/selection.ts'
import { readEvents } from '../support/serverSentEvents.ts'

const roles = ['VIEWER', 'OPERATOR', 'ADMIN'] as const
type Role = (typeof roles)[number]
type Ids = Record<string, string>

/** The least role that each field of the three roots takes, and the arguments it is asked with. */
const queries: Record<string, [least: Role, args?: (ids: Ids) => string]> = {
  batch: ['VIEWER', (ids) => `(id: "${ids['JobBatch']}")`],
  counties: ['VIEWER'],
  county: ['VIEWER', () => '(state: "FL", name: "Duval")'],
  coverage: ['VIEWER', () => '(from: "2026-03-16", to: "2026-03-16", first: 1)'],
  executions: ['VIEWER'],
  job: ['VIEWER', (ids) => `(id: "${ids['ScrapingJob']}")`],
  jobErrors: ['VIEWER'],
  jobs: ['VIEWER'],
  node: ['VIEWER', (ids) => `(id: "${ids['County']}")`],
  nodes: ['VIEWER', (ids) => `(ids: ["${ids['County']}"])`],
  prospect: ['VIEWER', (ids) => `(id: "${ids['Prospect']}")`],
  prospectChanges: ['VIEWER'],
  prospectExport: ['VIEWER', () => '(format: CSV)'],
  prospectStatistics: ['VIEWER', () => '(groupBy: [COUNTY, STATE], limit: 10)'],
  prospects: ['VIEWER'],
  schedules: ['VIEWER'],
  scrapeUrl: ['VIEWER', (ids) => `(id: "${ids['CountyScrapeUrl']}")`],
  scrapeUrls: ['VIEWER'],
  states: ['VIEWER'],
  statistics: ['VIEWER'],
  users: ['ADMIN'],
  viewer: ['VIEWER'],
  webhooks: ['ADMIN'],
  workerPool: ['VIEWER'],
}
const mutations: typeof queries = {
  cancelJob: ['OPERATOR', ofJob],
  cancelJobs: ['OPERATOR', (ids) => `(filter: { ids: ["${ids['ScrapingJob']}"] })`],
  cloneJob: ['OPERATOR', (ids) => `(input: { id: "${ids['ScrapingJob']}" })`],
  createApiKey: ['VIEWER', () => '(input: { name: "mine" })'],
  createUser: ['ADMIN', () => '(input: { name: "Eve", role: ADMIN })'],
  deleteJob: ['ADMIN', ofJob],
  deleteSchedule: ['OPERATOR', (ids) => `(id: "${ids['Schedule']}")`],
  deleteScrapeUrl: ['ADMIN', (ids) => `(id: "${ids['CountyScrapeUrl']}")`],
  deleteWebhook: ['ADMIN', (ids) => `(id: "${ids['Webhook']}")`],
  processPendingJobs: ['OPERATOR', () => '(limit: 1)'],
  recoverStaleJobs: ['ADMIN', () => '(olderThanSeconds: 10)'],
  retryFailedJobs: ['OPERATOR', () => '(limit: 1)'],
  retryJob: ['OPERATOR', ofJob],
  revokeApiKey: ['VIEWER', (ids) => `(id: "${ids['ApiKey']}")`],
  runJob: ['OPERATOR', ofJob],
  saveSchedule: ['OPERATOR', (ids) => `(input: { scrapeUrlId: "${ids['CountyScrapeUrl']}", cron: "@hourly" })`],
  saveScrapeUrl: ['ADMIN', (ids) => `(input: { id: "${ids['CountyScrapeUrl']}", active: true })`],
  saveWebhook: ['ADMIN', (ids) => `(input: { id: "${ids['Webhook']}", active: false })`],
  submitJob: ['OPERATOR', (ids) => `(input: { scrapeUrlId: "${ids['CountyScrapeUrl']}" })`],
  submitJobs: ['OPERATOR', (ids) => `(input: { scrapeUrlIds: ["${ids['CountyScrapeUrl']}"] })`],
  updateJob: ['OPERATOR', (ids) => `(input: { id: "${ids['ScrapingJob']}", name: "other" })`],
  updateUser: ['ADMIN', (ids) => `(input: { id: "${ids['User']}", role: VIEWER })`],
}
const subscriptions: typeof queries = {
  batchStatus: ['VIEWER', (ids) => `(batchId: "${ids['JobBatch']}")`],
  jobLog: ['VIEWER', (ids) => `(jobId: "${ids['ScrapingJob']}")`],
  jobStatus: ['VIEWER', (ids) => `(jobId: "${ids['ScrapingJob']}")`],
  jobUpdates: ['VIEWER', () => '(snapshot: true)'],
  prospectChanges: ['VIEWER', (ids) => `(after: "${ids['cursor']}")`],
}
/** Fields below the roots that take more than a key. */
const restricted: Record<string, Role> = { 'JobError.traceback': 'ADMIN', 'User.apiKeys': 'ADMIN' }
/** What others find by no id. */
const hidden: Record<string, Role> = { ApiKey: 'ADMIN', Webhook: 'ADMIN', WebhookDelivery: 'ADMIN' }

function ofJob(ids: Ids): string {
  return `(id: "${ids['ScrapingJob']}")`
}

let api: TestApi
let ids: Ids
let keys: Record<Role, string>
beforeAll(async () => {
  api = await startTestApi()
  ids = await inhabit(api)
  const { prospectChanges } = await api.ask('{ prospectChanges(first: 1) { pageInfo { endCursor } } }')
  ids['cursor'] = prospectChanges.pageInfo.endCursor
  const key = async (role: Role) => (await api.keyOf(role)).key
  keys = { VIEWER: await key('VIEWER'), OPERATOR: await key('OPERATOR'), ADMIN: await key('ADMIN') }
  // The first use of a key is noted.
  for (const role of roles) await api.ask('{ viewer { name } }', {}, keys[role])
})
afterAll(() => api.stop())

const may = (role: Role, least: Role): boolean => roles.indexOf(role) >= roles.indexOf(least)
const codes = ({ errors }: Answer): string[] => (errors ?? []).map(({ extensions }) => extensions.code)
const unauthenticated = { status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] }

const selecting = (seen = new Set<string>()): Selecting => ({
  schema,
  without: new Set(Object.keys(restricted)),
  args: { 'County.coverage': '(from: "2026-03-16", to: "2026-03-16")' },
  seen,
})
function operation(root: GraphQLObjectType, name: string, args: string, seen?: Set<string>): string {
  const field = root.getFields()[name]
  if (!field) throw new Error(`there is no ${root.name}.${name}`)
  const paged = args === '' && field.args.some((arg) => arg.name === 'first') ? '(first: 1)' : args
  return `${root.name.toLowerCase()} { ${name}${paged}${below(field.type, selecting(seen))} }`
}

const Query = schema.getQueryType() as GraphQLObjectType
const Mutation = schema.getMutationType() as GraphQLObjectType
const Subscription = schema.getSubscriptionType() as GraphQLObjectType

describe('the tables here are about everything that is served:', () => {
  test.each([
    [Query, queries],
    [Mutation, mutations],
    [Subscription, subscriptions],
  ])('%s', (root, table) => {
    expect(Object.keys(table).sort()).toEqual(Object.keys(root.getFields()).sort())
  })

  test('the fields that ask for more than a key', () => {
    const asking = objectTypes(schema)
      .filter((type) => ![Query, Mutation, Subscription].includes(type))
      .flatMap((type) =>
        Object.values(type.getFields()).map((field) => ({ name: `${type.name}.${field.name}`, field })),
      )
      .filter(({ field }) => 'authScopes' in (field.extensions['pothosOptions'] as object))
    expect(asking.map(({ name }) => name).sort()).toEqual(Object.keys(restricted).sort())
  })

  test('what has a global id', () => {
    const found = objectTypes(schema).filter(isNode)
    expect(found.map(({ name }) => name).sort()).toEqual(
      Object.keys(ids)
        .filter((name) => name !== 'cursor')
        .sort(),
    )
  })
})

describe('each query takes its role, with every field below it:', () => {
  test.each(Object.entries(queries))('%s', async (name, [least, args]) => {
    const query = operation(Query, name, args?.(ids) ?? '')
    expect(await api.post(query, {}, null)).toMatchObject(unauthenticated)
    for (const role of roles) {
      const answer = await api.post(query, {}, keys[role])
      expect([role, codes(answer)]).toEqual([role, may(role, least) ? [] : ['FORBIDDEN']])
      expect([role, answer.data?.[name] != null]).toEqual([role, may(role, least)])
    }
  })
})

describe('what has a global id is read by it, every field of it, by the roles that may:', () => {
  const seen = new Set<string>()
  test.each(objectTypes(schema).filter(isNode))('%s', async (type) => {
    const { name } = type
    const id = ids[name] ?? ''
    const fields = `... on ${name} ${everyField(type, selecting(seen))}`
    const one = `query ($id: ID!) { node(id: $id) { ${fields} } }`
    const several = `query ($id: ID!) { nodes(ids: [$id, $id]) { ${fields} } }`
    expect(await api.post(one, { id }, null)).toMatchObject(unauthenticated)
    for (const role of roles) {
      const visible = may(role, hidden[name] ?? 'VIEWER')
      const { node } = await api.ask(one, { id }, keys[role])
      expect([role, node !== null]).toEqual([role, visible])
      expect((await api.ask(several, { id }, keys[role])).nodes).toEqual([node, node])
    }
  })

  test.each(Object.entries(restricted))('%s', async (field, least) => {
    const [type = '', name = ''] = field.split('.')
    const composite = (schema.getType(type) as GraphQLObjectType).getFields()[name]
    const query = `query ($id: ID!) { node(id: $id) { ... on ${type} { ${name}${composite ? below(composite.type, selecting()) : ''} } } }`
    for (const role of roles) {
      const answer = await api.post(query, { id: ids[type] }, keys[role])
      expect([role, codes(answer)]).toEqual([role, may(role, least) ? [] : ['FORBIDDEN']])
      expect([role, answer.data.node?.[name] != null]).toEqual([role, may(role, least)])
    }
  })

  test('no type is left out', () => {
    for (const [name, [, args]] of Object.entries(queries)) operation(Query, name, args?.(ids) ?? '', seen)
    for (const [name, [, args]] of Object.entries(subscriptions)) operation(Subscription, name, args?.(ids) ?? '', seen)
    const reached = new Set([...seen].map((field) => field.split('.')[0]))
    // What mutations answer is seen by whoever may call them, and all of it is made of these.
    const answers = Object.values(Mutation.getFields()).flatMap((field) => {
      const result = getNamedType(field.type)
      return isUnionType(result) ? result.getTypes() : []
    })
    const walked = new Set([Query, Mutation, Subscription, ...answers])
    const missing = objectTypes(schema).filter((type) => !reached.has(type.name) && !walked.has(type))
    expect(missing.map(({ name }) => name)).toEqual(['InputIssue'])
  })
})

describe('edges lead to nothing that the id does not lead to:', () => {
  test.each([
    ['jobErrors', '{ jobErrors { edges { node { traceback } } } }'],
    ['the errors of a job', 'query ($job: ID!) { job(id: $job) { errors { nodes { traceback } } } }'],
    ['its last error', 'query ($job: ID!) { job(id: $job) { lastError { traceback } } }'],
    ['the error that ended it', 'query ($job: ID!) { job(id: $job) { endedBy { traceback } } }'],
    ['the errors of a day', 'query ($job: ID!) { job(id: $job) { days { errors { traceback } } } }'],
    ['who submitted it', 'query ($job: ID!) { job(id: $job) { createdBy { apiKeys { name } } } }'],
    [
      'a job that is watched',
      'subscription ($job: ID!) { jobStatus(jobId: $job) { job { lastError { traceback } } } }',
    ],
  ])('%s', async (_what, query) => {
    for (const role of roles) {
      const answer = query.startsWith('subscription')
        ? await first(query, keys[role], { job: ids['ScrapingJob'] })
        : await api.post(query, { job: ids['ScrapingJob'] }, keys[role])
      expect([role, codes(answer as Answer)]).toEqual([role, role === 'ADMIN' ? [] : ['FORBIDDEN']])
      expect(JSON.stringify(answer.data).includes('Error: at fetch')).toBe(
        role === 'ADMIN' && query.includes('traceback'),
      )
    }
  })
})

describe('each subscription takes its role:', () => {
  test.each(Object.entries(subscriptions))('%s', async (name, [least, args]) => {
    const query = operation(Subscription, name, args?.(ids) ?? '')
    expect(await api.post(query, {}, null)).toMatchObject(unauthenticated)
    await expect(first(query, null)).rejects.toMatchObject({ code: 4403 })
    for (const role of roles) {
      const answer = await first(query, keys[role])
      expect([role, codes(answer as Answer)]).toEqual([role, may(role, least) ? [] : ['FORBIDDEN']])
      if (!may(role, least)) continue
      const events = readEvents(`${api.url}/graphql`, keys[role], { query, variables: {} })
      expect((await events.next()).value).toMatchObject({ [name]: expect.anything() })
      await events.return(undefined)
    }
  })
})

test.each(roles)('an export and the file of a job are for every role: %s', async (role) => {
  const query = '{ prospectExport(format: NDJSON) { url } jobs { nodes { result { csvUrl } } } }'
  const { prospectExport, jobs } = await api.ask(query, {}, keys[role])
  for (const url of [prospectExport.url, jobs.nodes[0].result.csvUrl]) expect((await fetch(url)).status).toBe(200)
})

describe('each mutation takes its role:', () => {
  /** All that a mutation could have changed. */
  const everything = async () => {
    const tables = [
      'users',
      'apiKeys',
      'jobs',
      'jobBatches',
      'schedules',
      'scrapeUrls',
      'webhooks',
      'executions',
    ] as const
    return await Promise.all(tables.map((table) => api.db.selectFrom(table).selectAll().orderBy('id').execute()))
  }

  test('whoever may not is refused, and nothing is changed', async () => {
    const before = await everything()
    for (const [name, [least, args]] of Object.entries(mutations)) {
      const mutation = `mutation { ${name}${args?.(ids) ?? ''} { __typename } }`
      expect(await api.post(mutation, {}, null)).toMatchObject(unauthenticated)
      for (const role of roles.filter((one) => !may(one, least))) {
        const answer = await api.post(mutation, {}, keys[role])
        expect([name, role, answer.data, codes(answer)]).toEqual([name, role, null, ['FORBIDDEN']])
      }
    }
    expect(await everything()).toEqual(before)
  })

  // Those that delete come last, so that the others have something to change.
  const inOrder = Object.entries(mutations).sort(
    ([a], [b]) => Number(/^(delete|revoke)/.test(a)) - Number(/^(delete|revoke)/.test(b)),
  )
  test.each(inOrder)('%s is for whoever may', async (name, [least, args]) => {
    for (const role of roles.filter((one) => may(one, least))) {
      const answer = await api.post(`mutation { ${name}${args?.(ids) ?? ''} { __typename } }`, {}, keys[role])
      expect([role, codes(answer)]).toEqual([role, []])
      expect(answer.data[name]).not.toBeNull()
    }
  })
})

/** The first message of a subscription over WebSocket, whatever it holds. */
async function first(query: string, key: string | null, variables: Record<string, unknown> = {}) {
  const client = api.client(key)
  const stream = client.iterate({ query, variables })
  try {
    const { value } = await stream.next()
    if (!value) throw new Error('the stream told nothing')
    return value
  } finally {
    await stream.return?.(undefined)
    await client.dispose()
  }
}
