import { sql } from 'kysely'
import type { Tx } from '../database.ts'
import type { RecordedChange } from './changes.ts'
import { toJson } from './json.ts'
import type { KnownProspect } from './values.ts'

/** The channel on which nodes hear that changes were committed. */
export const prospectChannel = 'gavel_prospects'

/**
 * Stores changes in order, under positions from the one counter. The counter's row is locked until the transaction
 * ends, so positions are gapless and in commit order, and this must be the transaction's last statement: whoever
 * else has changes to store waits for it.
 */
export async function recordChanges(
  trx: Tx,
  changes: readonly { prospect: KnownProspect; change: RecordedChange }[],
  by: { jobId: string; scrapeUrlId: string; at: Date },
): Promise<void> {
  if (changes.length === 0) return
  const rows = changes.map(({ prospect, change }, i) => ({
    number: i + 1,
    prospectId: prospect.id,
    countyFips: prospect.countyFips,
    auctionType: prospect.auctionType,
    ...change,
  }))
  await sql`select pg_notify(${prospectChannel}, '')`.execute(trx)
  await sql`
    with counter as (
      update prospect_change_counter set position = position + ${rows.length} returning position - ${rows.length} as used
    )
    insert into prospect_changes
      (position, prospect_id, county_fips, scrape_url_id, job_id, at, kind, auction_type, fields)
    select counter.used + r.number, r."prospectId", r."countyFips", ${by.scrapeUrlId}, ${by.jobId}, ${by.at}, r.kind,
      r."auctionType", r.fields
    from counter, jsonb_to_recordset(${toJson(rows)}::jsonb)
      as r (number integer, "prospectId" uuid, "countyFips" text, "auctionType" text, kind text, fields jsonb)
    order by r.number`.execute(trx)
}
