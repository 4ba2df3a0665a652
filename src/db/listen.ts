import pg from 'pg'
import type { Logger } from '../log.ts'
import { connectionSettings } from './database.ts'

export interface Listener {
  stop(): Promise<void>
}

const heartbeatMs = 10_000
const firstReconnectMs = 100
const longestReconnectMs = 5_000

/**
 * One dedicated connection that LISTENs on a channel, and on further ones where they are named, for as long as it is not stopped. A connection that has died
 * silently is noticed by a query every 10 s; it is opened again with backoff. Notifications of the time between are
 * lost: `onConnect` is called after every (re)connection, for the listener to look for itself.
 * Resolves after the first connection; rejects when that one fails.
 */
export async function listen(options: {
  databaseUrl: string
  channel: string
  alsoOn?: readonly string[]
  log: Logger
  onNotification: (payload: string, channel: string) => void
  onConnect: () => void
}): Promise<Listener> {
  const { log, channel } = options
  let stopped = false
  let client = null as pg.Client | null
  let timer = null as NodeJS.Timeout | null
  let delay = firstReconnectMs

  async function connect(): Promise<void> {
    const next = new pg.Client({
      ...connectionSettings(options.databaseUrl, `gavel listen ${channel}`),
      // Bounds the heartbeat: an answer that does not come is a connection that has died.
      query_timeout: heartbeatMs,
    })
    // Once for each connection, whatever ends it.
    next.once('error', (error) => lost(next, error))
    next.on('error', (error) => log.debug({ err: error }, 'after the listening connection was lost'))
    next.once('end', () => lost(next, new Error('the connection ended')))
    next.on('notification', (message) => options.onNotification(message.payload ?? '', message.channel))
    client = next
    await next.connect()
    for (const one of [channel, ...(options.alsoOn ?? [])]) await next.query(`listen ${pg.escapeIdentifier(one)}`)
    if (stopped) return close(next)
    delay = firstReconnectMs
    timer = setInterval(() => {
      beat(next).catch((error: unknown) => log.error({ err: error, channel }, 'the heartbeat failed'))
    }, heartbeatMs)
    options.onConnect()
  }

  async function beat(which: pg.Client): Promise<void> {
    try {
      await which.query('select 1')
    } catch (error) {
      lost(which, error)
    }
  }

  function lost(which: pg.Client, error: unknown): void {
    if (stopped || client !== which) return
    log.warn({ err: error, channel }, 'the listening connection was lost')
    close(which)
    timer = setTimeout(() => {
      connect().catch((failure: unknown) => client && lost(client, failure))
    }, delay)
    delay = Math.min(delay * 2, longestReconnectMs)
  }

  function close(which: pg.Client): void {
    if (timer) clearTimeout(timer)
    timer = null
    client = null
    which.end().catch((error: unknown) => log.debug({ err: error }, 'closing the listening connection'))
  }

  try {
    await connect()
  } catch (error) {
    stopped = true
    if (client) close(client)
    throw error
  }
  return {
    async stop() {
      stopped = true
      if (timer) clearTimeout(timer)
      await client?.end()
    },
  }
}
