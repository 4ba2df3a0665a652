import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Met } from './faults.ts'
import type { Answer } from './respond.ts'

/** Writes the answer, whole or as its faults have it. Resolves when it is written or the client has gone. */
export async function deliver(answer: Answer, response: ServerResponse, met: Met): Promise<void> {
  const body = Buffer.from(answer.body)
  const oversized = met.get('oversizedBody')
  if (oversized) {
    response.writeHead(answer.status, answer.headers)
    await writeOversized(response, body, oversized.bytes ?? 64 * 2 ** 20)
  } else if (met.get('cutBody')) {
    response.writeHead(answer.status, { ...answer.headers, 'content-length': body.length })
    response.write(half(body), () => response.destroy())
  } else {
    const sent = met.get('truncatedJson') ? half(body) : body
    response.writeHead(answer.status, { ...answer.headers, 'content-length': sent.length })
    response.end(sent)
  }
}

const half = (body: Buffer): Buffer => body.subarray(0, Math.floor(body.length / 2))

/** Chunked, at the pace of the client, until `bytes` are written or the client hangs up. */
async function writeOversized(response: ServerResponse, body: Buffer, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(2 ** 16, ' ')
  const gone = once(response, 'close')
  response.write(body)
  for (let written = body.length; written < bytes && !response.destroyed; written += chunk.length) {
    if (!response.write(chunk)) await Promise.race([once(response, 'drain'), gone])
  }
  response.end()
}
