import { once } from 'node:events'
import { expect } from 'vitest'
import type { WebSocket } from 'ws'
import { adminKey, type TestApi } from './api.ts'
import { until } from './until.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- what a message holds is what its test says
type Message = { type: string; id?: string; payload?: any }

/** A socket without a client library: everything it is told, and how it ends. */
export interface BareSocket {
  socket: WebSocket
  messages: Message[]
  closed: Promise<{ code: number; reason: string }>
  send: (message: unknown) => void
}

/** Listens to a socket from now on. Texts are sent as they are, anything else as JSON. */
export function listen(socket: WebSocket): BareSocket {
  const messages: Message[] = []
  socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message))
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: code as number, reason: String(reason) }))
  const send = (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  return { socket, messages, closed, send }
}

/** A bare socket that is acknowledged. */
export async function acknowledged(api: TestApi, key = adminKey): Promise<BareSocket> {
  const bare = listen(await api.socket())
  bare.send(initMessage(key))
  await until(() => expect(bare.messages[0]?.type).toBe('connection_ack'))
  return bare
}

export const initMessage = (key = adminKey) => ({
  type: 'connection_init',
  payload: { authorization: `Bearer ${key}` },
})

export const subscribeMessage = (id: string, query: string, variables: Record<string, unknown> = {}) => ({
  type: 'subscribe',
  id,
  payload: { query, variables },
})
