import pg from 'pg'
import { connectionSettings } from './database.ts'

/** The locks and instants behind politeness, on one connection of their own, opened when first needed. */
export interface PolitenessStore {
  /**
   * Locks the first of these keys that nobody holds, this store included, and answers with it; null when all are
   * held. The lock is the connection's: it ends with it.
   */
  tryLockOne(keys: readonly string[]): Promise<string | null>
  /** Frees keys that tryLockOne gave; those of a lost connection are free already. */
  unlock(keys: readonly string[]): Promise<void>
  /**
   * Reserves the next instant of this key, `intervalMs` after the last, and answers how many milliseconds away it
   * is; null, reserving nothing, when it would be more than `backlogMs` away. The time is the database's.
   */
  reserve(key: string, intervalMs: number, backlogMs: number): Promise<number | null>
  close(): Promise<void>
}

/** More candidates are not asked for at once: each is a term of one expression. */
const mostCandidates = 16

export function openPolitenessStore(databaseUrl: string): PolitenessStore {
  let connection: Promise<pg.Client> | null = null
  // A session lock may be taken twice by its own session, so what is held here is left out.
  const held = new Set<string>()
  let last: Promise<unknown> = Promise.resolve()

  function discard(client: Promise<pg.Client>): void {
    if (connection !== client) return
    connection = null
    held.clear()
  }

  async function connected(): Promise<pg.Client> {
    const opening = (connection ??= open(databaseUrl, () => discard(opening)))
    try {
      return await opening
    } catch (error) {
      discard(opening)
      throw error
    }
  }

  /** One statement at a time on the connection. A failed one costs the connection, and with it every lock. */
  function alone<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    const run = async () => {
      const client = await connected()
      try {
        return await work(client)
      } catch (error) {
        if (connection !== null) discard(connection)
        await client.end()
        throw error
      }
    }
    const result = last.then(run, run)
    last = result.catch(() => undefined)
    return result
  }

  return {
    tryLockOne: (keys) =>
      alone(async (client) => {
        const free = keys.filter((key) => !held.has(key)).slice(0, mostCandidates)
        if (free.length === 0) return null
        const { rows } = await client.query<{ locked: number | null }>(tryLocks(free.length), free.map(lockName))
        const locked = rows[0]?.locked ?? null
        const key = locked === null ? undefined : free[locked]
        if (key === undefined) return null
        held.add(key)
        return key
      }),
    unlock: async (keys) => {
      const own = keys.filter((key) => held.delete(key))
      if (own.length === 0) return
      await alone(async (client) => {
        for (const key of own) await client.query('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName(key)])
      }).catch(() => undefined) // the connection that failed is discarded, and every lock ended with it
    },
    reserve: (key, intervalMs, backlogMs) =>
      alone(async (client) => {
        const { rows } = await client.query<{ wait_ms: number }>(reserveInstant, [key, intervalMs, backlogMs])
        return rows[0] === undefined ? null : Math.max(0, rows[0].wait_ms)
      }),
    async close() {
      await last
      const client = await connection?.catch(() => null)
      connection = null
      held.clear()
      await client?.end()
    },
  }
}

async function open(databaseUrl: string, lost: () => void): Promise<pg.Client> {
  const client = new pg.Client(connectionSettings(databaseUrl, 'gavel politeness'))
  client.on('error', lost)
  client.on('end', lost)
  await client.connect()
  return client
}

const lockName = (key: string) => `gavel politeness ${key}`

/** CASE asks its conditions in order and stops at the first that holds, so at most one lock is taken. */
function tryLocks(count: number): string {
  const terms = Array.from(
    { length: count },
    (_, i) => `when pg_try_advisory_lock(hashtextextended($${i + 1}, 0)) then ${i}`,
  )
  return `select case ${terms.join(' ')} end as locked`
}

/**
 * A gate that stands further ahead than any reservation can have put it (the clock was set back, the rate was raised)
 * starts anew.
 */
const reserveInstant = `
  insert into politeness_gates as gate (key, next_at)
  values ($1, clock_timestamp() + $2::float8 * interval '1 ms')
  on conflict (key) do update set next_at = $2::float8 * interval '1 ms' + case
    when gate.next_at > clock_timestamp() + ($2::float8 + $3::float8) * interval '1 ms' then clock_timestamp()
    else greatest(gate.next_at, clock_timestamp())
  end
  where gate.next_at <= clock_timestamp() + $3::float8 * interval '1 ms'
    or gate.next_at > clock_timestamp() + ($2::float8 + $3::float8) * interval '1 ms'
  returning extract(epoch from gate.next_at - clock_timestamp())::float8 * 1000 - $2::float8 as wait_ms`
