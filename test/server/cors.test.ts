import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { adminKey, startTestApi, type TestApi } from '../support/api.ts'

const named = 'https://dashboard.example'
const foreign = ['https://evil.example', 'https://dashboard.example.evil.example', 'http://dashboard.example', 'null']

const json = { 'content-type': 'application/json' }
const preflight = {
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization, content-type',
}

const policyOf = (response: Response) =>
  Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control')))

async function upgradeFrom(api: TestApi, origin: string): Promise<number> {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { origin })
  const refused = once(socket, 'unexpected-response').then(([, response]) => (response as IncomingMessage).statusCode)
  const status = await Promise.race([refused, once(socket, 'open').then(() => 101)])
  if (status === 101) socket.terminate()
  return status ?? 0
}

describe('with the settings as they are', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi()
  })
  afterAll(() => api.stop())

  test.each([...foreign, named])('a page of %s reads no answer, gets no preflight and no socket', async (origin) => {
    const headers = { ...json, origin }
    const asked = await fetch(`${api.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, authorization: `Bearer ${adminKey}` },
      body: '{"query":"{ __typename }"}',
    })
    const preflighted = await fetch(`${api.url}/graphql`, { method: 'OPTIONS', headers: { origin, ...preflight } })
    for (const response of [asked, preflighted]) expect(policyOf(response)).toEqual({})
    expect(await upgradeFrom(api, origin)).toBe(403)
  })

  test('a page of its own origin gets a socket', async () => {
    expect(await upgradeFrom(api, api.url)).toBe(101)
  })

  test('a page cannot have a browser ask on its behalf: without the header that takes a preflight nobody is signed in', async () => {
    const forms = [
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'text/plain' },
      { 'content-type': 'multipart/form-data; boundary=x' },
    ]
    for (const headers of forms) {
      const init = { method: 'POST', headers: { ...headers, cookie: `authorization=Bearer ${adminKey}` } }
      const response = await fetch(`${api.url}/graphql`, { ...init, body: 'query={ viewer { name } }' })
      expect(response.status).toBe(401)
    }
    expect((await fetch(`${api.url}/graphql?query={viewer{name}}`)).status).toBe(401)
  })
})

describe('with GAVEL_ALLOW_ORIGINS', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await startTestApi({ env: { GAVEL_ALLOW_ORIGINS: `${named}, http://localhost:5173` } })
  })
  afterAll(() => api.stop())

  test.each([named, 'http://localhost:5173'])('a page of %s, which it names, may ask and read', async (origin) => {
    const preflighted = await fetch(`${api.url}/graphql`, { method: 'OPTIONS', headers: { origin, ...preflight } })
    expect(preflighted.status).toBe(204)
    expect(policyOf(preflighted)).toEqual({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST',
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-expose-headers': 'retry-after',
      'access-control-max-age': '600',
    })
    for (const [authorization, status] of [
      [`Bearer ${adminKey}`, 200],
      ['Bearer unknown', 401],
    ] as const) {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { ...json, origin, authorization },
        body: '{"query":"{ __typename }"}',
      })
      expect(response.status).toBe(status)
      expect(response.headers.get('access-control-allow-origin')).toBe(origin)
      expect(response.headers.get('vary')).toContain('origin')
      expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    }
    expect(await upgradeFrom(api, origin)).toBe(101)
  })

  test.each(foreign)('a page of %s still may not', async (origin) => {
    const preflighted = await fetch(`${api.url}/graphql`, { method: 'OPTIONS', headers: { origin, ...preflight } })
    expect(preflighted.status).toBe(401)
    expect(policyOf(preflighted)).toEqual({})
    expect(await upgradeFrom(api, origin)).toBe(403)
  })

  test('its own pages still get a socket', async () => {
    expect(await upgradeFrom(api, api.url)).toBe(101)
  })
})
