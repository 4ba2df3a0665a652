import { type Answer, adminKey, type TestApi } from './api.ts'

export interface Operation {
  query: string
  variables?: Record<string, unknown>
}

/** What all messages of an operation told, and the errors of all of them. */
export interface Told {
  data: unknown[]
  errors: NonNullable<Answer['errors']>
}

type Message = Pick<Answer, 'errors'> & { data?: unknown }

/** The ways that an operation goes, as the admin. */
export const ways: [name: string, ask: (api: TestApi, operation: Operation) => Promise<Told>][] = [
  ['HTTP', async (api, { query, variables }) => toldBy([await api.post(query, variables)])],
  ['server-sent events', overEvents],
  ['WebSocket', overSocket],
]

/** Throws where the stream ends without its event. */
async function overEvents(api: TestApi, operation: Operation): Promise<Told> {
  const response = await fetch(`${api.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', authorization: `Bearer ${adminKey}` },
    body: JSON.stringify(operation),
  })
  const text = await response.text()
  if (!text.includes('event: complete')) throw new Error(`the stream has no end: ${text}`)
  return toldBy([...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as Message))
}

/** Throws where the socket is closed. */
async function overSocket(api: TestApi, operation: Operation): Promise<Told> {
  const messages: Message[] = []
  try {
    for await (const message of api.client().iterate(operation)) messages.push(message as Message)
  } catch (refused) {
    if (!Array.isArray(refused)) throw refused
    messages.push({ errors: refused as Told['errors'] })
  }
  return toldBy(messages)
}

function toldBy(messages: Message[]): Told {
  return {
    data: messages.flatMap(({ data }) => (data == null ? [] : [data])),
    errors: messages.flatMap(({ errors }) => errors ?? []),
  }
}
