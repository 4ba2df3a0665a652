import { createClient } from 'graphql-ws'

/** A client of the public API, as anyone would write one: queries over HTTP, subscriptions over a WebSocket. */
export interface ApiClient {
  /** Sends a query or mutation. Throws with the server's words when the answer holds errors. */
  request<Data>(query: string, variables?: Record<string, unknown>): Promise<Data>
  subscribe<Data>(query: string, variables: Record<string, unknown>): AsyncIterable<Data>
  close(): Promise<void>
}

interface Answer<Data> {
  data?: Data | null
  errors?: readonly { message: string }[]
}

export function createApiClient(url: string, key: string): ApiClient {
  const authorization = `Bearer ${key}`
  const sockets = createClient({ url: url.replace(/^http/, 'ws'), connectionParams: { authorization } })
  return {
    async request<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', accept: 'application/graphql-response+json' },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(30_000),
      })
      return dataOf((await response.json()) as Answer<Data>)
    },
    async *subscribe<Data>(query: string, variables: Record<string, unknown>): AsyncGenerator<Data> {
      for await (const answer of sockets.iterate({ query, variables })) yield dataOf(answer as Answer<Data>)
    },
    async close() {
      await sockets.dispose()
    },
  }
}

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  if (errors && errors.length > 0) throw new Error(errors.map((error) => error.message).join('; '))
  if (data === undefined || data === null) throw new Error('the answer holds no data')
  return data
}
