import { auditServer } from 'graphql-http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from '../support/api.ts'

let api: TestApi
let key: string
beforeAll(async () => {
  api = await startTestApi()
  ;({ key } = await api.keyOf('VIEWER'))
})
afterAll(() => api.stop())

test('it does what the specification of GraphQL over HTTP demands, all that it recommends, and all that it allows for', async () => {
  const results = await auditServer({
    url: `${api.url}/graphql`,
    async fetchFn(url: string, init: RequestInit = {}) {
      const headers = new Headers(init.headers)
      headers.set('authorization', `Bearer ${key}`)
      return await fetch(url, { ...init, headers })
    },
  })
  const failed = results.flatMap((one) =>
    one.status === 'ok' ? [] : [{ id: one.id, name: one.name, status: one.status, reason: one.reason }],
  )
  expect(failed).toEqual([])
  const levels = results.map(({ name }) => name.split(' ', 1)[0])
  const count = (level: string) => levels.filter((one) => one === level).length
  expect({ must: count('MUST'), should: count('SHOULD'), may: count('MAY') }).toEqual({ must: 13, should: 23, may: 25 })
})
