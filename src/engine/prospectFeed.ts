import type { Database } from '../db/database.ts'
import {
  keptPositions,
  type LocatedFilter,
  locate,
  matchesChange,
  type ProspectChangeFilter,
  readChanges,
} from '../db/prospectChanges.ts'
import type { ProspectChangeRow } from '../db/tables.ts'
import type { Logger } from '../log.ts'
import { createWakeUp } from './wakeUp.ts'

/** The changes of all prospects in the order of their commits. It reads nothing while there is no reader. */
export interface ProspectFeed {
  /**
   * Every change that matches the filter, from now on or beyond the position `after`, without end; none lost, none
   * twice. Throws CursorExpiredError when changes beyond the reader's position are gone.
   */
  watch(
    filter: ProspectChangeFilter,
    after: number | null,
    signal: AbortSignal,
  ): AsyncGenerator<ProspectChangeRow, void, undefined>
  /** Changes are said to have been committed. */
  moved(): void
  /** Looks whether there are any that nobody told of. */
  look(): Promise<void>
  waiters(): number
}

/** The newest changes are kept for all readers; one that is further behind reads for itself. */
const keptChanges = 1_000
const readAtOnce = 500
/** What one reader has in hand. */
const pageSize = 50

export function createProspectFeed({ db, log }: { db: Database; log: Logger }): ProspectFeed {
  const wakeUp = createWakeUp()
  let readers = 0
  /** Everything up to here has been read, or was there before the first reader. */
  let newest = 0
  /** The last changes up to `newest`; positions have no gaps. */
  let kept: ProspectChangeRow[] = []
  let opening = null as Promise<void> | null
  let reading = null as Promise<void> | null
  let stale = false

  async function open(): Promise<void> {
    const position = (await keptPositions(db)).newest
    kept = []
    newest = position
  }

  async function enter(): Promise<void> {
    opening ??= open()
    try {
      await opening
    } catch (error) {
      opening = null
      throw error
    }
  }

  function leave(): void {
    readers -= 1
    if (readers > 0) return
    opening = null
    kept = []
  }

  /** Reads what is new, one read at a time, for as long as there is more. */
  function read(): Promise<void> {
    stale = true
    reading ??= (async () => {
      try {
        while (stale) {
          stale = false
          await opening
          const rows = await readChanges(db, {}, { after: newest, upTo: Number.MAX_SAFE_INTEGER, limit: readAtOnce })
          take(rows)
          stale ||= rows.length === readAtOnce
        }
      } finally {
        reading = null
      }
    })()
    return reading
  }

  function take(rows: readonly ProspectChangeRow[]): void {
    const last = rows.at(-1)
    if (!last || rows[0]?.position !== newest + 1) return
    newest = last.position
    kept.push(...rows)
    kept.splice(0, kept.length - keptChanges)
    wakeUp.wake()
  }

  /** The next changes for a reader, and how far it has come with them. */
  async function next(
    filter: ProspectChangeFilter,
    located: LocatedFilter,
    after: number,
  ): Promise<{ rows: ProspectChangeRow[]; upTo: number }> {
    const first = newest - kept.length + 1
    if (after >= first - 1) {
      const rows: ProspectChangeRow[] = []
      for (const row of kept.slice(after + 1 - first)) {
        if (!matchesChange(located, row)) continue
        rows.push(row)
        if (rows.length === pageSize) return { rows, upTo: row.position }
      }
      return { rows, upTo: newest }
    }
    const upTo = newest
    const rows = await readChanges(db, filter, { after, upTo, limit: pageSize })
    return { rows, upTo: rows.length < pageSize ? upTo : (rows.at(-1)?.position ?? upTo) }
  }

  async function* watch(filter: ProspectChangeFilter, after: number | null, signal: AbortSignal) {
    readers += 1
    try {
      await enter()
      const located = await locate(db, filter)
      let cursor = after ?? (await keptPositions(db)).newest
      while (!signal.aborted) {
        if (cursor >= newest) {
          await wakeUp.sleep(signal)
        } else {
          const { rows, upTo } = await next(filter, located, cursor)
          cursor = upTo
          for (const row of rows) {
            if (signal.aborted) return
            yield row
          }
        }
      }
    } finally {
      leave()
    }
  }

  return {
    watch,
    moved() {
      if (readers === 0) return
      read().catch((error: unknown) => log.warn({ err: error }, 'changes of prospects could not be read'))
    },
    async look() {
      if (readers > 0) await read()
    },
    waiters: () => wakeUp.waiters(),
  }
}
