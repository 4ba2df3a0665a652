import { sql } from 'kysely'
import type { CalendarDate, DayOutcome } from '../domain.ts'
import type { Tx } from './database.ts'

/** Days after which an auction day is final although some of its listings never said how they ended. */
const settledAfterDays = 14

/** Between two calendar dates that follow one another, each read as its midnight in UTC. */
const dayMs = 86_400_000

/**
 * Whether a day's read, already written, is the last that it needs: COMPLETE or EMPTY, the day is past, and either
 * no prospect of the site on that day is still open or 14 days have gone by. `today` is the site's own day.
 */
export async function isFinal(
  trx: Tx,
  read: { siteKey: string; date: CalendarDate | null; today: CalendarDate; outcome: DayOutcome },
): Promise<boolean> {
  if (read.outcome !== 'COMPLETE' && read.outcome !== 'EMPTY') return false
  // ISO dates compare as text.
  if (read.date === null || read.date >= read.today) return false
  if (Date.parse(read.today) - Date.parse(read.date) >= settledAfterDays * dayMs) return true
  const { rows } = await sql<{ final: boolean }>`
    select not exists (
      select from listings l join prospects p on p.id = l.prospect_id
      where l.site_key = ${read.siteKey} and l.auction_date = ${read.date} and l.closed_at is null
        and p.auction_status in ('SCHEDULED', 'RUNNING', 'UNKNOWN')
    ) as final`.execute(trx)
  return rows[0]?.final === true
}
