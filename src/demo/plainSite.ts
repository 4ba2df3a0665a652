import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What can go wrong on any site. A platform's sample site adds kinds of its own. */
export type PlainFaultKind =
  | 'status403'
  | 'status500'
  /** Redirects to another host. */
  | 'foreignRedirect'
  /** 200 with a challenge in place of the page. */
  | 'captcha'
  /** Half of the body under the length of the whole, then the connection is gone. */
  | 'cutBody'
  /** Half of the body as if it were all. */
  | 'halfBody'
  /** Takes the request and never answers. */
  | 'stall'

export interface PlainFault<Kind extends string> {
  kind: Kind | PlainFaultKind
  /** How many requests it meets; without it every one until it is removed. */
  times?: number
  /** Which paths, with their query; without it all. */
  path?: RegExp
}

export interface PlainRequest {
  method: string
  url: URL
  cookies: ReadonlyMap<string, string>
  form: URLSearchParams
}

export interface PlainAnswer {
  status?: number
  headers?: Record<string, string>
  body: string
}

/** A small sample site while it runs. */
export interface PlainSite<Kind extends string> {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  /** `127.0.0.1:PORT` */
  readonly host: string
  /** In order of arrival: `GET /path?query`. */
  readonly requests: readonly string[]
  /** How many requests are held by stalls just now. */
  readonly held: number
  /** Returns what takes the fault away again. */
  addFault: (fault: PlainFault<Kind>) => () => void
  close: () => Promise<void>
}

/** Serves the answers of `respond`, told which faults of the site's own kinds meet the request, on a free port. */
export async function startPlainSite<Kind extends string>(
  respond: (request: PlainRequest, met: ReadonlySet<Kind | PlainFaultKind>) => PlainAnswer,
): Promise<PlainSite<Kind>> {
  const faults: { fault: PlainFault<Kind>; left: number }[] = []
  const requests: string[] = []
  const stalled = new Set<ServerResponse>()

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = incoming.url ?? '/'
    requests.push(`${incoming.method} ${path}`)
    const met = new Set<Kind | PlainFaultKind>()
    for (const one of faults) {
      if (one.left < 1 || met.has(one.fault.kind) || one.fault.path?.test(path) === false) continue
      one.left--
      met.add(one.fault.kind)
    }
    if (met.has('stall')) {
      stalled.add(response)
      response.once('close', () => stalled.delete(response))
      return
    }
    const request = {
      method: incoming.method ?? 'GET',
      url: new URL(path, 'http://sample.invalid'),
      cookies: readCookies(incoming.headers.cookie ?? ''),
      form: new URLSearchParams(await text(incoming)),
    }
    deliver(answerInstead(met) ?? respond(request, met), response, met)
  }

  const server = createServer((incoming, response) => {
    // A fault of the site itself must end the test run, not look like one of those it plays.
    answer(incoming, response).catch((error: unknown) => server.emit('error', error))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin: `http://${host}`,
    host,
    requests,
    get held() {
      return stalled.size
    },
    addFault(fault) {
      const one = { fault, left: fault.times ?? Number.POSITIVE_INFINITY }
      faults.push(one)
      return () => void (one.left = 0)
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function answerInstead(met: ReadonlySet<string>): PlainAnswer | null {
  if (met.has('foreignRedirect')) return { status: 302, headers: { location: 'http://moved.example/' }, body: '' }
  if (met.has('status403')) return { status: 403, body: notice('Forbidden') }
  if (met.has('status500')) return { status: 500, body: notice('Server Error') }
  return met.has('captcha') ? { body: notice('Just a moment...') } : null
}

const notice = (title: string): string =>
  `<html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`

function deliver(
  { status = 200, headers = {}, body }: PlainAnswer,
  response: ServerResponse,
  met: ReadonlySet<string>,
) {
  const bytes = Buffer.from(body)
  const half = bytes.subarray(0, Math.floor(bytes.length / 2))
  const sent = met.has('halfBody') ? half : bytes
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-length': sent.length,
    ...headers,
  })
  if (met.has('cutBody')) response.write(half, () => response.destroy())
  else response.end(sent)
}

function readCookies(header: string): Map<string, string> {
  const pairs = header.split(';').map((pair) => pair.trim().split('='))
  return new Map(pairs.map(([name = '', ...value]) => [name, value.join('=')]))
}
