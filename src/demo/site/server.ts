import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { CalendarDate } from '../../domain.ts'
import { addDays } from './dates.ts'
import { orderedDays } from './days.ts'
import { deliver } from './deliver.ts'
import { FaultBoard, type Faults } from './faults.ts'
import { generateDays } from './generate.ts'
import { readRequest } from './request.ts'
import { respond, type SiteState } from './respond.ts'
import { Sessions } from './sessions.ts'
import type { RequestRecord, SampleDay } from './types.ts'

export interface SampleSiteOptions {
  /** Of the generated days. */
  seed?: number
  /** The site's own calendar day, 2026-03-18 unless told: the month shown first, and what generated days go by. */
  today?: CalendarDate
  /** The address listened on, 127.0.0.1 unless told. */
  host?: string
  /** 0, as without it: a free one. */
  port?: number
  /** What the site holds; without them generated days from three weeks back to five weeks ahead. */
  days?: readonly SampleDay[]
  /** Items on a page of an area, 10 unless told. */
  pageSize?: number
  /** Waited before each answer. */
  latencyMs?: number
}

/** A running county site of ours that behaves like those of RealAuction. */
export interface SampleSite {
  /** `http://127.0.0.1:PORT/index.cfm` */
  readonly url: string
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly port: number
  /** What the site holds now, in order of the dates: the truth that a scrape has to find. */
  readonly days: readonly SampleDay[]
  readonly faults: Faults
  /** The newest requests, at most 10,000, in order of arrival. */
  readonly requests: readonly RequestRecord[]
  /** Replaces everything the site holds, from the next answer on. */
  setDays(days: readonly SampleDay[]): void
  /** Ends every connection, held ones too. */
  close(): Promise<void>
}

const mostRequests = 10_000

/**
 * Starts a sample site: calendar, day pages with their script, LOAD and UPDATE answers, sessions, and faults that can
 * be switched while it runs. Any number of them runs in one process. Rejects when the port is taken.
 */
export async function startSampleSite(options: SampleSiteOptions = {}): Promise<SampleSite> {
  const today = options.today ?? '2026-03-18'
  const generated = { from: addDays(today, -21), to: addDays(today, 35), today, seed: options.seed ?? 1 }
  const site: SiteState = {
    today,
    pageSize: options.pageSize ?? 10,
    sessions: new Sessions(),
    days: orderedDays(options.days ?? generateDays(generated)),
  }
  const faults = new FaultBoard()
  const requests: RequestRecord[] = []
  const closing = new AbortController()

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = readRequest(incoming, site.sessions, today)
    const { method, path, kind, query, date, userAgent } = asked
    const sessionId = asked.session?.id ?? null
    const record: RequestRecord = {
      method,
      path,
      kind,
      query,
      date,
      at: Date.now(),
      status: null,
      sessionId,
      userAgent,
    }
    requests.push(record)
    if (requests.length > mostRequests) requests.shift()
    const gone = AbortSignal.any([closing.signal, whenClosed(response)])
    const met = faults.meet(asked)
    if (met.stalled && !(await hold(faults, met.stalled, gone))) return
    if (options.latencyMs) await delay(options.latencyMs, undefined, { signal: gone })
    const given = respond(asked, site, met)
    record.status = given.status
    record.sessionId = given.session?.id ?? sessionId
    await deliver(given, response, met)
  }

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'AbortError') return
      // A fault of the site itself: it must end the test run, not look like one of the faults it plays.
      server.emit('error', error)
    })
  })
  const listening = once(server, 'listening')
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  await listening
  const { address, port } = server.address() as AddressInfo
  const host = `${address}:${port}`
  return {
    url: `http://${host}/index.cfm`,
    host,
    port,
    get days() {
      return site.days
    },
    faults,
    requests,
    setDays(days) {
      site.days = orderedDays(days)
    },
    async close() {
      closing.abort()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function whenClosed(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => controller.abort())
  return controller.signal
}

/** Waits for the end of a stall; false when the client has gone or the site closes first. */
async function hold(faults: FaultBoard, end: Promise<void>, gone: AbortSignal): Promise<boolean> {
  if (gone.aborted) return false
  faults.held += 1
  const given = once(gone, 'abort').then(() => false)
  const answered = await Promise.race([end.then(() => true), given])
  faults.held -= 1
  return answered
}
