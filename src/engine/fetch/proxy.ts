import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { asScrapeError, ScrapeError } from '../errors.ts'
import { type Guard, hostPort } from './guard.ts'
import type { Politeness, Release } from './politeness.ts'

/** The browser's only way out: a forward proxy on loopback that guards every request and tunnel. */
export interface GuardedProxy {
  /** For the browser's proxy setting. Without the credentials nothing is let through. */
  server: string
  username: string
  password: string
  /** What was refused or failed last, since this was last asked: a browser itself only tells that something did. */
  takeFault(): ScrapeError | null
  close(): Promise<void>
}

export interface ProxyOptions {
  guard: Guard
  politeness: Politeness
  signal: AbortSignal
  /** Milliseconds for a connection, and without any byte while an answer is awaited. */
  timeoutMs?: number
  /** Of an answer, and of a tunnel in both directions. */
  maxBytes?: number
  /** Milliseconds after which a tunnel that has been answered and is not used any more gives up its turn. */
  idleMs?: number
}

const defaults = { timeoutMs: 30_000, maxBytes: 16 * 1024 * 1024, idleMs: 2000 }

interface Context extends Required<ProxyOptions> {
  fail(error: ScrapeError): void
}

/** Listens on a port of the system's choice. Plain requests take a turn each; a tunnel takes one while it is open. */
export async function openGuardedProxy(options: ProxyOptions): Promise<GuardedProxy> {
  const username = 'gavel'
  const password = randomBytes(24).toString('base64url')
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  let fault: ScrapeError | null = null
  const context: Context = { ...defaults, ...options, fail: (error) => (fault = error) }
  const sockets = new Set<Duplex>()

  const server = createServer((request, response) => {
    if (!authorised(request, expected)) {
      response.writeHead(407, { 'proxy-authenticate': 'Basic realm="gavel"' }).end()
      return
    }
    void forward(context, request, response)
  })
  server.on('connect', (request, socket, head) => {
    // A reset is followed by a close, which is what ends a tunnel.
    socket.on('error', () => socket.destroy())
    if (!authorised(request, expected)) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="gavel"\r\n\r\n')
      return
    }
    void tunnel(context, request, socket as Socket, head)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    username,
    password,
    takeFault() {
      const taken = fault
      fault = null
      return taken
    },
    async close() {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function authorised(request: IncomingMessage, expected: string): boolean {
  const given = Buffer.from(request.headers['proxy-authorization'] ?? '')
  const wanted = Buffer.from(expected)
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

/** One plain request. What fails is noted and the browser's connection cut: no answer of ours can pass for the site's. */
async function forward(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const over = new AbortController()
  response.on('close', () => over.abort(new Error('the browser gave the request up')))
  const signal = AbortSignal.any([context.signal, over.signal])
  let release: Release | null = null
  try {
    const url = context.guard.checkUrl(request.url ?? '')
    if (url.protocol !== 'http:') throw new ScrapeError('INTERNAL', 'a plain request for something else than http')
    release = await context.politeness.acquire(hostPort(url), signal)
    const port = Number(url.port) || 80
    const outgoing = httpRequest(url, {
      method: request.method ?? 'GET',
      headers: endToEnd(request.headers),
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(context.timeoutMs)]),
      ...context.guard.connectOptions(url.hostname, port),
    })
    // Failing to read the request ends `outgoing` with it, which is what is waited for.
    request.pipe(outgoing)
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers))
    let size = 0
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > context.maxBytes) {
        throw new ScrapeError('BODY_TOO_LARGE', `a body of more than ${context.maxBytes} bytes`, { url: url.href })
      }
      if (!response.write(chunk)) await once(response, 'drain', { signal })
    }
    response.end()
  } catch (error) {
    if (!signal.aborted) context.fail(faultOf(error, request.url ?? ''))
    response.destroy()
  } finally {
    await release?.()
  }
}

/** One CONNECT: bytes in both directions, counted, until either side ends or nobody uses it any more. */
async function tunnel(context: Context, request: IncomingMessage, browser: Socket, head: Buffer): Promise<void> {
  const over = new AbortController()
  browser.on('close', () => over.abort(new Error('the browser gave the tunnel up')))
  const signal = AbortSignal.any([context.signal, over.signal])
  let release: Release | null = null
  try {
    const url = context.guard.checkUrl(`https://${request.url ?? ''}`)
    const port = Number(url.port) || 443
    release = await context.politeness.acquire(`${url.hostname}:${port}`, signal)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const site = connect({ host, port, ...context.guard.connectOptions(host, port) })
    signal.addEventListener('abort', () => site.destroy(), { once: true })
    site.setTimeout(context.timeoutMs, () => site.destroy(new ScrapeError('TIMEOUT', `${url.host} does not answer`)))
    // With the signal: a socket destroyed without an error tells of it by 'close' alone.
    await once(site, 'connect', { signal })
    browser.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    await exchange(context, browser, site, head)
  } catch (error) {
    if (!signal.aborted) context.fail(faultOf(error, request.url ?? ''))
    browser.destroy()
  } finally {
    await release?.()
  }
}

async function exchange(context: Context, browser: Socket, site: Socket, head: Buffer): Promise<void> {
  let size = 0
  const count = (chunk: Buffer) => {
    size += chunk.length
    if (size > context.maxBytes) {
      site.destroy(new ScrapeError('BODY_TOO_LARGE', `a tunnel of more than ${context.maxBytes} bytes`))
    }
  }
  site.removeAllListeners('timeout')
  let awaited = true
  site.on('timeout', () => site.destroy(awaited ? new ScrapeError('TIMEOUT', 'a tunnel is not answered') : undefined))
  site.on('data', (chunk: Buffer) => {
    count(chunk)
    awaited = false
    site.setTimeout(context.idleMs)
  })
  browser.on('data', (chunk: Buffer) => {
    count(chunk)
    awaited = true
    site.setTimeout(context.timeoutMs)
  })
  if (head.length > 0) site.write(head)
  browser.pipe(site)
  site.pipe(browser)
  // Rejects with what the connection was destroyed with.
  await once(site, 'close')
  browser.destroy()
}

const hopByHop = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** What belongs to the connection between the browser and us, or names us (RFC 9110, 7.6.1). */
function endToEnd(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase())
  const hop = new Set([...hopByHop, ...named])
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string | string[]] => {
      return entry[1] !== undefined && !hop.has(entry[0])
    }),
  )
}

function faultOf(error: unknown, url: string): ScrapeError {
  if (error instanceof ScrapeError) return error
  if (error instanceof Error && error.name === 'AbortError') {
    return new ScrapeError('TIMEOUT', 'the site did not answer in time', { url, cause: error })
  }
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined) return asScrapeError(error)
  return new ScrapeError('CONNECTION', `no connection to ${url}: ${code}`, { url, cause: error })
}
