import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { changeJob, lockJob } from '../../src/db/changeJob.ts'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { acknowledged, initMessage, listen, subscribeMessage } from '../support/bareSocket.ts'
import { insertJob, insertSite } from '../support/rows.ts'
import { until } from '../support/until.ts'

// The protocol graphql-transport-ws, message by message, as its text has it.

let api: TestApi
let job: { id: string }
let variables: { id: string }
beforeAll(async () => {
  api = await startTestApi()
  const { id, countyFips } = await insertSite(api.db)
  job = await insertJob(api.db, { id, countyFips }, { startDate: '2026-03-16' })
  variables = { id: idOf('ScrapingJob', job.id) }
})
afterAll(() => api.stop())

const viewer = '{ viewer { name } }'
const watch = 'subscription ($id: ID!) { jobStatus(jobId: $id) { sequence } }'
const answer = { data: { viewer: { name: 'admin' } } }

/** A message that comes after all that the server had to say about those before it. */
async function settled({ send, messages }: Pick<ReturnType<typeof listen>, 'send' | 'messages'>): Promise<void> {
  send({ type: 'ping', payload: { settled: true } })
  await until(() => expect(messages.at(-1)).toEqual({ type: 'pong', payload: { settled: true } }))
}

describe('beginning', () => {
  test('connection_init is answered with connection_ack and nothing else', async () => {
    const { messages, send } = await acknowledged(api)
    await settled({ send, messages })
    expect(messages.slice(0, -1)).toEqual([{ type: 'connection_ack' }])
  })

  test('no connection_init in time: 4408', async () => {
    const { closed } = listen(await api.socket())
    expect(await closed).toEqual({ code: 4408, reason: 'Connection initialisation timeout' })
  })

  test('a second connection_init while the first is looked at: 4429', async () => {
    const { send, closed } = listen(await api.socket())
    send(initMessage())
    send(initMessage())
    expect((await closed).code).toBe(4429)
  })

  test('a second connection_init after the acknowledgement: 4429', async () => {
    const { send, closed } = await acknowledged(api)
    send(initMessage())
    expect((await closed).code).toBe(4429)
  })

  test('subscribe without connection_init: 4401', async () => {
    const { send, closed } = listen(await api.socket())
    send(subscribeMessage('1', viewer))
    expect((await closed).code).toBe(4401)
  })

  test('subscribe before the acknowledgement: 4401', async () => {
    const { send, closed } = listen(await api.socket())
    send(initMessage())
    send(subscribeMessage('1', viewer))
    expect((await closed).code).toBe(4401)
  })

  /** The status that refuses the upgrade, the code that closes the socket, or what the client found wrong. */
  const open = async (path: string, protocols: string[]) =>
    await new Promise<number | string | undefined>((resolve) => {
      const socket = new WebSocket(`${api.url.replace('http', 'ws')}${path}`, protocols)
      socket.on('unexpected-response', (_request: unknown, response: IncomingMessage) => {
        response.destroy()
        resolve(response.statusCode)
      })
      socket.on('error', (error) => resolve(error.message))
      socket.on('close', resolve)
    })

  test('no subprotocol: 4406', async () => {
    expect(await open('/graphql', [])).toBe(4406)
  })

  test('another subprotocol, the older one too, is not agreed to', async () => {
    expect(await open('/graphql', ['graphql-ws'])).toMatch(/sent no subprotocol/)
    expect(await open('/graphql', ['mqtt', 'soap'])).toMatch(/sent no subprotocol/)
  })

  test('ours among others is taken', async () => {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, ['graphql-ws', 'graphql-transport-ws'])
    await once(socket, 'open')
    expect(socket.protocol).toBe('graphql-transport-ws')
    socket.terminate()
  })

  test('another path: no socket', async () => {
    for (const path of ['/', '/graphql/other', '/graphiql'])
      expect(await open(path, ['graphql-transport-ws'])).toBe(404)
  })
})

describe('ping and pong', () => {
  test('a ping is answered, before the acknowledgement too', async () => {
    const { send, messages } = listen(await api.socket())
    send({ type: 'ping' })
    await until(() => expect(messages).toEqual([{ type: 'pong' }]))
  })

  test('a pong carries the payload of its ping', async () => {
    const { send, messages } = await acknowledged(api)
    send({ type: 'ping', payload: { a: [1, 'ü', null] } })
    await until(() => expect(messages.at(-1)).toEqual({ type: 'pong', payload: { a: [1, 'ü', null] } }))
  })

  test('a pong that nobody asked for is passed over', async () => {
    const { send, messages } = await acknowledged(api)
    send({ type: 'pong' })
    send({ type: 'pong', payload: { a: 1 } })
    await settled({ send, messages })
    expect(messages).toHaveLength(2)
  })
})

describe('operations', () => {
  test('a query: next, then complete', async () => {
    const { send, messages } = await acknowledged(api)
    send(subscribeMessage('1', viewer))
    await until(() => expect(messages).toHaveLength(3))
    expect(messages.slice(1)).toEqual([
      { type: 'next', id: '1', payload: answer },
      { type: 'complete', id: '1' },
    ])
  })

  test('a mutation: next, then complete', async () => {
    const { send, messages } = await acknowledged(api)
    send(subscribeMessage('1', 'mutation { runJob(id: "x") { __typename } }'))
    await until(() => expect(messages).toHaveLength(3))
    expect(messages.slice(1)).toEqual([
      { type: 'next', id: '1', payload: { data: { runJob: { __typename: 'NotFoundError' } } } },
      { type: 'complete', id: '1' },
    ])
  })

  test('a field that fails: next with its error, then complete', async () => {
    const { send, messages } = await acknowledged(api)
    send(subscribeMessage('1', '{ jobs(first: -1) { totalCount nodes { id } } }'))
    await until(() => expect(messages).toHaveLength(3))
    expect(messages.slice(1)).toEqual([
      {
        type: 'next',
        id: '1',
        payload: { data: null, errors: [expect.objectContaining({ extensions: expect.any(Object) })] },
      },
      { type: 'complete', id: '1' },
    ])
  })

  test.each([
    ['a document that is none', '{'],
    ['an empty document', ''],
    ['a document that is not valid', '{ nothing }'],
    ['too many tokens', `{ viewer { ${'name '.repeat(1_000)} } }`],
    ['no operation to run', 'fragment A on Query { __typename }'],
  ])('%s: error, no complete, and the socket goes on', async (_what, query) => {
    const { send, messages, socket } = await acknowledged(api)
    send(subscribeMessage('1', query))
    await until(() => expect(messages.at(-1)).toMatchObject({ type: 'error', id: '1' }))
    await settled({ send, messages })
    expect(messages.map(({ type }) => type)).toEqual(['connection_ack', 'error', 'pong'])
    send(subscribeMessage('1', viewer))
    await until(() => expect(messages.at(-1)).toEqual({ type: 'complete', id: '1' }))
    expect(socket.readyState).toBe(WebSocket.OPEN)
  })

  test('an id that is in use: 4409', async () => {
    const { send, messages, closed } = await acknowledged(api)
    send(subscribeMessage('1', watch, variables))
    await until(() => expect(messages.at(-1)?.type).toBe('next'))
    send(subscribeMessage('1', viewer))
    expect(await closed).toEqual({ code: 4409, reason: 'Subscriber for 1 already exists' })
  })

  test('an id that is in use by an operation that is still prepared: 4409', async () => {
    const { send, closed } = await acknowledged(api)
    send(subscribeMessage('1', watch, variables))
    send(subscribeMessage('1', watch, variables))
    expect((await closed).code).toBe(4409)
  })

  test('complete from the client ends its subscription, is not echoed, and frees the id', async () => {
    const { send, messages } = await acknowledged(api)
    send(subscribeMessage('1', watch, variables))
    await until(() => expect(messages.at(-1)?.type).toBe('next'))
    const { waiters } = api.events.counts()
    send({ type: 'complete', id: '1' })
    await until(() => expect(api.events.counts().waiters).toBe(waiters - 1))
    await api.db.transaction().execute(async (trx) => {
      const row = await lockJob(trx, job.id)
      if (row) await changeJob(trx, row, { status: 'RUNNING' })
    })
    await settled({ send, messages })
    expect(messages.map(({ type }) => type)).toEqual(['connection_ack', 'next', 'pong'])
    send(subscribeMessage('1', viewer))
    await until(() => expect(messages.at(-1)).toEqual({ type: 'complete', id: '1' }))
  })

  test('complete right after subscribe: nothing comes of it', async () => {
    const { send, messages } = await acknowledged(api)
    send(subscribeMessage('1', watch, variables))
    send({ type: 'complete', id: '1' })
    await until(() => expect(api.events.counts().waiters).toBe(0))
    await settled({ send, messages })
    expect(messages.filter(({ id }) => id === '1')).toEqual([])
  })

  test('complete of what does not run is passed over', async () => {
    const { send, messages } = await acknowledged(api)
    for (const id of ['never', '__proto__']) send({ type: 'complete', id })
    await settled({ send, messages })
    expect(messages).toHaveLength(2)
  })

  test('names that every object has are ids and operation names like any other', async () => {
    const { send, messages } = await acknowledged(api)
    for (const id of ['__proto__', 'toString', 'constructor', 'hasOwnProperty']) {
      send(subscribeMessage(id, viewer))
      await until(() =>
        expect(messages.slice(-2)).toMatchObject([
          { id, payload: answer },
          { id, type: 'complete' },
        ]),
      )
      const payload = { query: `query A ${viewer}`, operationName: id }
      send({ type: 'subscribe', id: `named ${id}`, payload })
      await until(() => expect(messages.at(-1)).toMatchObject({ type: 'error', id: `named ${id}` }))
    }
  })

  test('several run at once, each under its id', async () => {
    const { send, messages, socket } = await acknowledged(api)
    const ids = ['a', 'b', 'c']
    send(subscribeMessage('live', watch, variables))
    for (const id of ids) send(subscribeMessage(id, viewer))
    await until(() => expect(messages.filter(({ type }) => type === 'complete').map(({ id }) => id)).toEqual(ids))
    await until(() => expect(messages.some(({ type, id }) => type === 'next' && id === 'live')).toBe(true))
    socket.terminate()
    await until(() => expect(api.events.counts().waiters).toBe(0))
  })

  test('a socket that closes ends what ran on it', async () => {
    const { send, messages, socket } = await acknowledged(api)
    for (const id of ['1', '2']) send(subscribeMessage(id, watch, variables))
    await until(() => expect(messages.filter(({ type }) => type === 'next')).toHaveLength(2))
    socket.close()
    await until(() => expect(api.events.counts().waiters).toBe(0))
  })
})

describe('messages that are none: 4400', () => {
  test.each([
    ['no JSON', '?'],
    ['an empty text', ''],
    ['JSON that is no object', '[]'],
    ['null', 'null'],
    ['no type', '{}'],
    ['a type that is not known', '{"type":"start"}'],
    ['a type of the server', '{"type":"connection_ack","payload":1}'],
    ['subscribe without an id', '{"type":"subscribe","payload":{"query":"{ a }"}}'],
    ['subscribe with an empty id', '{"type":"subscribe","id":"","payload":{"query":"{ a }"}}'],
    ['subscribe with an id that is no text', '{"type":"subscribe","id":1,"payload":{"query":"{ a }"}}'],
    ['subscribe without a payload', '{"type":"subscribe","id":"1"}'],
    ['subscribe without a query', '{"type":"subscribe","id":"1","payload":{}}'],
    ['a query that is no text', '{"type":"subscribe","id":"1","payload":{"query":1}}'],
    ['variables that are none', '{"type":"subscribe","id":"1","payload":{"query":"{ a }","variables":"x"}}'],
    ['complete without an id', '{"type":"complete"}'],
    ['a ping with a payload that is no object', '{"type":"ping","payload":1}'],
  ])('%s', async (_what, text) => {
    const { send, closed } = await acknowledged(api)
    send(text)
    expect(await closed).toEqual({ code: 4400, reason: 'Invalid message received' })
  })

  test('a message of more than 64 KB: 1009', async () => {
    const { send, closed } = await acknowledged(api)
    send(subscribeMessage('1', `{ viewer { name } } #${'x'.repeat(65 * 1024)}`))
    expect((await closed).code).toBe(1009)
  })
})
