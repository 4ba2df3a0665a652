import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'

export interface ReceivedCall {
  id: string
  path: string
  headers: IncomingMessage['headers']
  text: string
  // oxlint-disable-next-line typescript/no-explicit-any -- what a body holds is what its test says
  body: any
}

type Answer = (response: ServerResponse, call: ReceivedCall) => void

/** A receiver of webhooks on this machine. */
export interface WebhookReceiver {
  url: string
  /** `127.0.0.1:PORT`, to be allowed. */
  host: string
  port: number
  calls: ReceivedCall[]
  /** Throws unless the signature is right, by the library that receivers use. */
  verify(call: ReceivedCall, secret: string): void
  close(): Promise<void>
}

/** Answers the first calls as told, 204 once these are used up. */
export async function receiveWebhooks(...answers: (Answer | number)[]): Promise<WebhookReceiver> {
  const calls: ReceivedCall[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const { headers, url: path = '' } = request
      const call = { id: String(headers['webhook-id']), path, headers, text, body: JSON.parse(text || 'null') }
      calls.push(call)
      const answer = answers.shift() ?? 204
      if (typeof answer === 'number') response.writeHead(answer).end()
      else answer(response, call)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    host: `127.0.0.1:${port}`,
    port,
    calls,
    verify: (call, secret) => void new Webhook(secret).verify(call.text, call.headers as Record<string, string>),
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
