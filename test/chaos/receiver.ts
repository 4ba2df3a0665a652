import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { seededRandom } from '../../src/demo/site/random.ts'

/** A receiver of webhooks that refuses or cuts the first try of some messages. */
export interface Receiver {
  url: string
  /** `127.0.0.1:PORT` */
  host: string
  /** Checks every call by the secret from here on. */
  trust(secret: string): void
  /** What was accepted, by the message's id. */
  readonly messages: ReadonlyMap<string, Message>
  /** Calls that should not have come: signed wrongly, or with another body under a known id. */
  readonly problems: readonly string[]
  readonly calls: number
  close(): Promise<void>
}

export interface Message {
  type: string
  text: string
  jobId: string
  sequence: number
  /** The prospects it tells of. */
  prospectIds: readonly string[]
}

interface Body {
  type: string
  data: { job: { id: string; sequence: number }; prospects?: { id: string }[] }
}

export async function openReceiver(seed: number): Promise<Receiver> {
  const messages = new Map<string, Message>()
  const refused = new Set<string>()
  const problems: string[] = []
  const random = seededRandom('chaos receiver', seed)
  let secret: string | null = null
  let calls = 0

  /** The status to answer; null: none, the connection is cut. */
  function hear(headers: IncomingMessage['headers'], text: string): number | null {
    calls += 1
    const id = String(headers['webhook-id'])
    try {
      if (secret === null) throw new Error('it came before there was a webhook')
      new Webhook(secret).verify(text, headers as Record<string, string>)
    } catch (error) {
      problems.push(`message ${id}: ${error instanceof Error ? error.message : String(error)}`)
      return 400
    }
    const known = messages.get(id)
    if (known && known.text !== text) problems.push(`message ${id} came with two bodies`)
    if (!known && !refused.has(id) && random.chance(0.1)) {
      refused.add(id)
      return random.chance(0.5) ? 503 : null
    }
    const { type, data } = JSON.parse(text) as Body
    const prospectIds = (data.prospects ?? []).map((prospect) => prospect.id)
    messages.set(id, { type, text, jobId: data.job.id, sequence: data.job.sequence, prospectIds })
    return 204
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const status = hear(request.headers, Buffer.concat(chunks).toString())
      if (status === null) response.destroy()
      else response.writeHead(status).end()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}/hook`,
    host,
    trust(given) {
      secret = given
    },
    messages,
    problems,
    get calls() {
      return calls
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
