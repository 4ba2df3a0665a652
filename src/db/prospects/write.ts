import { sql } from 'kysely'
import type { Tx } from '../database.ts'
import type { ProspectRow } from '../tables.ts'
import { toJson } from './json.ts'
import type { LotGroup } from './lots.ts'
import type { ProspectWrite } from './plan.ts'
import { fieldTypes, type KnownProspect, toKnownProspect, valueTypes } from './values.ts'

export type PlacedWrite = ProspectWrite & { lot: number }

const fieldNames = Object.keys(fieldTypes)
const valueNames = Object.keys(valueTypes)

/** The shape of a write inside JSON: names in quotes keep their case. */
const recordset = sql.raw(
  [
    'id uuid, "countyFips" text, lot integer, listed boolean, seen boolean',
    ...Object.entries(valueTypes).map(([name, type]) => `"${name}" ${type}`),
  ].join(', '),
)
const columns = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(name)))
const given = (names: readonly string[]) => sql.join(names.map((name) => sql.raw(`r."${name}"`)))

/**
 * Brings known prospects to what was planned, in one statement, and returns them as they then stand. `updatedAt`
 * moves only where a recorded field or `listed` differs; what the read showed is seen by this job now.
 */
export async function updateProspects(
  trx: Tx,
  writes: readonly PlacedWrite[],
  seenBy: { jobId: string; at: Date },
): Promise<KnownProspect[]> {
  if (writes.length === 0) return []
  const stored = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(`p.${name}`)))
  const recorded = [...fieldNames, 'lot', 'listed']
  const { rows } = await sql<ProspectRow>`
    update prospects as p set
      ${sql.join(valueNames.map((name) => sql`${sql.ref(name)} = ${given([name])}`))},
      lot = r.lot,
      listed = r.listed,
      delisted_at = case when not r.listed then coalesce(p.delisted_at, ${seenBy.at}) end,
      last_job_id = case when r.seen then ${seenBy.jobId} else p.last_job_id end,
      last_seen_at = case when r.seen then ${seenBy.at} else p.last_seen_at end,
      updated_at = case when (${stored(recorded)}) is distinct from (${given(recorded)})
        then ${seenBy.at} else p.updated_at end
    from jsonb_to_recordset(${records(writes)}::jsonb) as r (${recordset})
    where p.id = r.id
    returning p.*`.execute(trx)
  return rows.map(toKnownProspect)
}

/** Stores new prospects in one statement and returns them. */
export async function insertProspects(
  trx: Tx,
  writes: readonly PlacedWrite[],
  seenBy: { jobId: string; at: Date; countyState: string },
): Promise<KnownProspect[]> {
  if (writes.length === 0) return []
  const { jobId, at, countyState } = seenBy
  const { rows } = await sql<ProspectRow>`
    insert into prospects (id, county_fips, county_state, lot, ${columns(valueNames)},
      last_job_id, first_seen_at, last_seen_at, updated_at)
    select r.id, r."countyFips", ${countyState}, r.lot, ${given(valueNames)}, ${jobId}, ${at}, ${at}, ${at}
    from jsonb_to_recordset(${records(writes)}::jsonb) as r (${recordset})
    returning *`.execute(trx)
  return rows.map(toKnownProspect)
}

/** Remembers the highest lot that was ever used of each group. */
export async function raiseLots(trx: Tx, highest: readonly (LotGroup & { highest: number })[]): Promise<void> {
  if (highest.length === 0) return
  await sql`
    insert into prospect_lots as l (county_fips, case_key, auction_date, highest)
    select r."countyFips", r."caseKey", r."auctionDate", r.highest
    from jsonb_to_recordset(${toJson(highest)}::jsonb)
      as r ("countyFips" text, "caseKey" text, "auctionDate" date, highest integer)
    on conflict (county_fips, case_key, auction_date)
      do update set highest = greatest(l.highest, excluded.highest)`.execute(trx)
}

/** Notes which prospects a job has saved. */
export async function insertJobProspects(trx: Tx, jobId: string, prospectIds: readonly string[]): Promise<void> {
  if (prospectIds.length === 0) return
  await sql`
    insert into job_prospects (job_id, prospect_id)
    select ${jobId}, id from unnest(${prospectIds}::uuid[]) as id
    on conflict do nothing`.execute(trx)
}

function records(writes: readonly PlacedWrite[]): string {
  return toJson(
    writes.map(({ id, countyFips, lot, listed, seen, values }) => ({ ...values, id, countyFips, lot, listed, seen })),
  )
}
