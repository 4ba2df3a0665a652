import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
})
afterAll(() => api.stop())

const nobody = '00000000-0000-4000-8000-000000000000'
const saving = `mutation($input: SaveWebhookInput!) { saveWebhook(input: $input) { __typename
  ... on SaveWebhookSuccess { secret webhook { id url events active lastDelivery { id } } }
  ... on InvalidInputError { issues { path message } } ... on NotFoundError { id } ... on Error { message } } }`
const deleting = `mutation($id: ID!) { deleteWebhook(id: $id) { __typename
  ... on DeleteWebhookSuccess { deletedId } ... on NotFoundError { id } } }`

const save = async (input: Record<string, unknown>) => (await api.ask(saving, { input })).saveWebhook
const url = 'https://hooks.example.com/gavel?token=abc'

describe('saveWebhook', () => {
  test('saves a webhook, shows its secret once, and changes what is given', async () => {
    const made = await save({ url, events: ['JOB_FAILED', 'JOB_COMPLETED', 'JOB_FAILED'] })
    expect(made).toEqual({
      __typename: 'SaveWebhookSuccess',
      secret: expect.stringMatching(/^whsec_/),
      webhook: {
        id: expect.any(String),
        url,
        events: ['JOB_FAILED', 'JOB_COMPLETED'],
        active: true,
        lastDelivery: null,
      },
    })
    const { id } = made.webhook
    const changed = await save({ id, active: false })
    expect(changed).toEqual({ ...made, secret: null, webhook: { ...made.webhook, active: false } })
    expect((await save({ id, active: null })).webhook.active).toBe(true)
    const { webhooks } = await api.ask('{ webhooks { id url } }')
    expect(webhooks).toContainEqual({ id, url })
    expect(JSON.stringify(await api.ask('{ webhooks { id url events active } }'))).not.toContain('whsec_')
  })

  test('tells what is wrong, each with its path', async () => {
    expect((await save({})).issues).toMatchObject([{ path: ['url'] }, { path: ['events'] }])
    for (const refused of [
      'http://127.0.0.1:8098/',
      'http://[::1]/',
      'http://10.0.0.1/',
      'https://u:p@x.example.com/',
    ]) {
      expect((await save({ url: refused, events: ['JOB_FAILED'] })).issues).toMatchObject([{ path: ['url'] }])
    }
    const { id } = (await save({ url, events: ['JOB_FAILED'] })).webhook
    expect((await save({ id, url: 'http://localhost/', events: [] })).issues).toMatchObject([
      { path: ['url'] },
      { path: ['events'] },
    ])
    expect((await save({ id, url: null, events: null })).issues).toMatchObject([
      { path: ['url'] },
      { path: ['events'] },
    ])
  })

  test('takes a private address that the settings name', async () => {
    const saved = await save({ url: 'http://127.0.0.1:8099/', events: ['JOB_FAILED'] })
    expect(saved).toMatchObject({ __typename: 'SaveWebhookSuccess' })
  })

  test('does not find a webhook that is not there', async () => {
    for (const id of ['nonsense', idOf('Webhook', nobody), idOf('User', nobody)]) {
      expect(await save({ id, active: false })).toMatchObject({ __typename: 'NotFoundError', id })
      expect((await api.ask(deleting, { id })).deleteWebhook).toEqual({ __typename: 'NotFoundError', id })
    }
  })
})

test('deliveries are read newest first, page by page', async () => {
  const { id } = (await save({ url, events: ['JOB_FAILED'] })).webhook
  const webhookId = Buffer.from(id, 'base64url').toString().slice('Webhook:'.length)
  const rows = [1, 2, 3].map((n) => ({
    id: crypto.randomUUID(),
    webhookId,
    event: 'JOB_FAILED' as const,
    at: new Date(`2026-03-0${n}T00:00:00Z`),
    body: '{}',
    attempt: n,
    status: n === 1 ? 204 : 500,
    error: n === 1 ? null : 'HTTP 500',
  }))
  await api.db.insertInto('webhookDeliveries').values(rows).execute()
  const page = 'totalCount pageInfo { hasNextPage endCursor } nodes { id at status attempt error event }'
  const query = `query($id: ID!, $after: String) { node(id: $id) { ... on Webhook {
    lastDelivery { attempt } deliveries(first: 2, after: $after) { ${page} } } } }`
  const first = (await api.ask(query, { id })).node
  expect(first.lastDelivery).toEqual({ attempt: 3 })
  expect(first.deliveries).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } })
  expect(first.deliveries.nodes.map((one: { attempt: number }) => one.attempt)).toEqual([3, 2])
  const rest = (await api.ask(query, { id, after: first.deliveries.pageInfo.endCursor })).node
  expect(rest.deliveries.nodes).toEqual([
    {
      id: idOf('WebhookDelivery', rows[0]?.id ?? ''),
      at: '2026-03-01T00:00:00.000Z',
      status: 204,
      attempt: 1,
      error: null,
      event: 'JOB_FAILED',
    },
  ])
})

test('webhooks are for ADMIN alone: others neither list, save nor delete them, nor find them by id', async () => {
  const { id } = (await save({ url, events: ['JOB_FAILED'] })).webhook
  const { key } = await api.keyOf('OPERATOR')
  const attempts: [string, Record<string, unknown>][] = [
    ['{ webhooks { id } }', {}],
    [saving, { input: { id, active: false } }],
    [deleting, { id }],
  ]
  for (const [query, variables] of attempts) {
    expect((await api.post(query, variables, key)).errors?.[0]?.extensions.code).toBe('FORBIDDEN')
  }
  expect((await api.ask('query($id: ID!) { node(id: $id) { id } }', { id }, key)).node).toBeNull()
  expect((await api.ask('query($id: ID!) { node(id: $id) { id } }', { id })).node).toEqual({ id })
  expect((await api.ask(deleting, { id })).deleteWebhook).toEqual({ __typename: 'DeleteWebhookSuccess', deletedId: id })
  expect((await api.ask('query($id: ID!) { node(id: $id) { id } }', { id })).node).toBeNull()
})
