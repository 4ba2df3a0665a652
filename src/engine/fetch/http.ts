import { setTimeout as sleep } from 'node:timers/promises'
import { CookieJar } from 'tough-cookie'
import { Agent, buildConnector, type Dispatcher, fetch, type Response } from 'undici'
import { ScrapeError } from '../errors.ts'
import type { FetchedPage, HttpFetcher, HttpSession, SessionOptions } from './fetcher.ts'
import { type Guard, hostPort } from './guard.ts'
import type { Politeness } from './politeness.ts'
import { retryAfterSeconds } from './retryAfter.ts'

export interface HttpFetcherOptions {
  guard: Guard
  politeness: Politeness
  userAgent: string
  /** Ends every request and every wait; what it was aborted with is thrown. */
  signal: AbortSignal
  /** Milliseconds left of the attempt. */
  deadline: () => number
  /** Milliseconds for one request, its body included. */
  timeoutMs?: number
  /** Of a body, as decompressed. */
  maxBytes?: number
  /** Told of every wait that a site asks for or a fault makes. */
  onWait?: (wait: { url: string; seconds: number; reason: string }) => void
  /** Pauses before a request is repeated: after a fault, and after a 429 that names no time. */
  pausesMs?: { fault: readonly number[]; tooMany: readonly number[] }
}

const mostRedirects = 5
/** A site that answers each wait with another one has used up an attempt by then. */
const mostAskedWaits = 10
const defaults = {
  timeoutMs: 30_000,
  maxBytes: 16 * 1024 * 1024,
  pausesMs: { fault: [500, 2000], tooMany: [1000, 2000, 4000] },
}

type Settings = Required<Omit<HttpFetcherOptions, 'onWait'>> &
  Pick<HttpFetcherOptions, 'onWait'> & { dispatcher: Dispatcher }

/** Plain HTTP behind the guard; `close` ends its connections. */
export function createHttpFetcher(options: HttpFetcherOptions): HttpFetcher & { close(): Promise<void> } {
  const dispatcher = guardedAgent(options.guard)
  const settings = { ...defaults, ...options, dispatcher }
  return {
    session: (sessionOptions = {}) => openSession(settings, sessionOptions),
    close: () => dispatcher.destroy(),
  }
}

/** Connects where the guard lets it, never through a proxy of the environment, and keeps few connections. */
export function guardedAgent(guard: Guard): Agent {
  const connect: buildConnector.connector = (target, callback) => {
    const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80)
    try {
      buildConnector({ timeout: 10_000, ...guard.connectOptions(target.hostname, port) })(target, callback)
    } catch (error) {
      callback(error as Error, null)
    }
  }
  return new Agent({ connect, connections: 4, pipelining: 1, maxHeaderSize: 64 * 1024 })
}

function openSession(settings: Settings, { onRedirect }: SessionOptions): HttpSession {
  // A jar that meets one site needs no list of public suffixes.
  const jar = new CookieJar(undefined, { rejectPublicSuffixes: false })

  /** `form` is sent with the first request; what it redirects to is got. */
  async function follow(given: string | URL, more: Record<string, string>, form?: string): Promise<FetchedPage> {
    let url = settings.guard.checkUrl(given)
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const body = redirects === 0 ? form : undefined
      const page = await patientRequest(settings, { url, body }, async () => ({
        'user-agent': settings.userAgent,
        accept: 'text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8',
        'accept-language': 'en-US,en;q=0.9',
        ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...more,
        ...cookieHeader(await jar.getCookieString(url.href)),
      }))
      for (const cookie of page.cookies) await jar.setCookie(cookie, url.href, { ignoreError: true })
      const target = redirectTarget(page)
      if (target === null) return page
      onRedirect?.(target)
      url = settings.guard.checkUrl(target)
    }
    throw new ScrapeError('HTTP_ERROR', `more than ${mostRedirects} redirects`, { url: url.href })
  }

  return {
    get: (url, { headers = {} } = {}) => follow(url, headers),
    post: (url, form) => follow(url, {}, new URLSearchParams({ ...form }).toString()),
  }
}

const cookieHeader = (cookie: string): { cookie?: string } => (cookie === '' ? {} : { cookie })

function redirectTarget(page: FetchedPage): URL | null {
  const { url } = page
  const location = page.headers['location']
  if (![301, 302, 303, 307, 308].includes(page.status) || location === undefined) return null
  if (!URL.canParse(location, url.href)) {
    throw new ScrapeError('HTTP_ERROR', 'redirected to what is not a URL', { url: url.href })
  }
  return new URL(location, url)
}

type Answer = FetchedPage & { cookies: string[] }

/** A GET, or a POST where there is a body. */
interface Request {
  url: URL
  body: string | undefined
}

/**
 * One request with its repetitions: faults of the connection and 5xx a few times; 429 and 503 as long as they ask,
 * while that fits into the attempt; 429 without a time a few times, longer each time.
 */
async function patientRequest(
  settings: Settings,
  request: Request,
  headers: () => Promise<Record<string, string>>,
): Promise<Answer> {
  const { url } = request
  const pauses = { fault: [...settings.pausesMs.fault], tooMany: [...settings.pausesMs.tooMany] }
  for (let asked = 0; ; ) {
    const outcome = await oneRequest(settings, request, await headers()).catch(faultOf)
    const failure = outcome instanceof ScrapeError ? outcome : failureOf(outcome, url)
    if (failure === null) return outcome as Answer

    const seconds = failure.detail.retryAfterSeconds
    if (seconds !== undefined) {
      if (asked++ >= mostAskedWaits) {
        throw new ScrapeError(failure.code, `${failure.message}, again and again`, { url: url.href })
      }
      if (seconds * 1000 >= settings.deadline()) throw failure
      await wait(settings, url, seconds * 1000, failure.message)
      continue
    }
    const pause = (failure.code === 'BLOCKED' ? pauses.tooMany : pauses.fault).shift()
    if (pause === undefined || pause >= settings.deadline()) throw failure
    await wait(settings, url, pause, failure.message)
  }
}

/** A fault that a repetition may mend; everything else is thrown on. */
function faultOf(error: unknown): ScrapeError {
  if (error instanceof ScrapeError && (error.code === 'CONNECTION' || error.code === 'TIMEOUT')) return error
  throw error
}

/** What a status says of itself, or null where the site's adapter is to judge it. */
function failureOf(answer: FetchedPage, url: URL): ScrapeError | null {
  const { status, retryAfterSeconds: seconds } = answer
  const detail = { url: url.href, ...(seconds === null ? {} : { retryAfterSeconds: seconds }) }
  if (status === 429) return new ScrapeError('BLOCKED', 'the site answers 429, too many requests', detail)
  if (status === 503) return new ScrapeError('HTTP_ERROR', 'the site answers HTTP 503', detail)
  if (status >= 500) return new ScrapeError('HTTP_ERROR', `the site answers HTTP ${status}`, { url: url.href })
  return null
}

async function wait(settings: Settings, url: URL, ms: number, reason: string): Promise<void> {
  settings.onWait?.({ url: url.href, seconds: ms / 1000, reason })
  try {
    await sleep(ms, undefined, { signal: settings.signal })
  } catch (error) {
    settings.signal.throwIfAborted()
    throw error
  }
}

async function oneRequest(
  settings: Settings,
  { url, body }: Request,
  headers: Record<string, string>,
): Promise<Answer> {
  const { signal } = settings
  const release = await settings.politeness.acquire(hostPort(url), signal)
  const timeout = AbortSignal.timeout(Math.max(1, Math.min(settings.timeoutMs, settings.deadline())))
  try {
    const response = await fetch(url, {
      ...(body === undefined ? {} : { method: 'POST', body }),
      headers,
      redirect: 'manual',
      dispatcher: settings.dispatcher,
      signal: AbortSignal.any([signal, timeout]),
    })
    const text = decode(await readBody(response, settings.maxBytes, url), response.headers.get('content-type'))
    return {
      status: response.status,
      url,
      headers: Object.fromEntries(response.headers),
      text,
      retryAfterSeconds: retryAfterSeconds(response.headers.get('retry-after'), Date.now()),
      cookies: response.headers.getSetCookie(),
    }
  } catch (error) {
    signal.throwIfAborted()
    if (timeout.aborted) throw new ScrapeError('TIMEOUT', 'the site did not answer in time', { url: url.href })
    throw networkError(error, url)
  } finally {
    await release()
  }
}

/** The body, counted as it is decompressed: neither Content-Length nor compression can hide its size. */
async function readBody(response: Response, maxBytes: number, url: URL): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  if (response.body !== null) {
    // Leaving the loop early cancels the body and closes its connection.
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      if (size > maxBytes) {
        throw new ScrapeError('BODY_TOO_LARGE', `a body of more than ${maxBytes} bytes`, { url: url.href })
      }
      chunks.push(chunk)
    }
  }
  return Buffer.concat(chunks)
}

function decode(body: Buffer, contentType: string | null): string {
  const charset = /charset\s*=\s*"?([\w.:-]+)/i.exec(contentType ?? '')?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset).decode(body)
  } catch (error) {
    // A name that the Encoding Standard does not know.
    if (error instanceof RangeError) return new TextDecoder().decode(body)
    throw error
  }
}

/** fetch wraps what happened as the cause of a TypeError; a refusal of the guard is one of those causes. */
function networkError(error: unknown, url: URL): unknown {
  if (error instanceof ScrapeError) return error
  if (!(error instanceof TypeError) || !(error.cause instanceof Error)) return error
  const cause: NodeJS.ErrnoException = error.cause
  if (cause instanceof ScrapeError) return cause
  const why = cause.code ?? cause.message
  return new ScrapeError('CONNECTION', `no connection to ${url.host}: ${why}`, { url: url.href, cause: error })
}
