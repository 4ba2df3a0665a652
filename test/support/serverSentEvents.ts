import { expect } from 'vitest'

/**
 * The data of a subscription over server-sent events (graphql-sse, distinct connections). Throws where the stream ends
 * without the event `complete`.
 */
export async function* readEvents(
  url: string,
  key: string,
  operation: { query: string; variables: Record<string, unknown> },
  // oxlint-disable-next-line typescript/no-explicit-any -- what an answer holds is what its test says
): AsyncGenerator<any> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(operation),
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    const events = (rest + decoder.decode(chunk, { stream: true })).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      if (/^event: complete$/m.test(event)) return
      const data = /^data: (.+)$/m.exec(event)?.[1]
      if (data === undefined) continue
      const message = JSON.parse(data) as { data: unknown; errors?: unknown }
      expect(message.errors).toBeUndefined()
      yield message.data
    }
  }
  throw new Error('the stream ended without its complete event')
}
