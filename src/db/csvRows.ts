import { sql } from 'kysely'
import { readInBatches } from './cursor.ts'
import type { Database } from './database.ts'
import type { ProspectRow } from './tables.ts'

export interface CsvRow extends ProspectRow {
  countyName: string
}

/** As many as a cursor would fetch at once. */
const fewRows = 500

/** Every label that the raw data of a job's prospects holds, sorted; blank ones are left out. */
export async function readRawLabels(db: Database, jobId: string): Promise<string[]> {
  const { rows } = await sql<{ label: string }>`
    select distinct field ->> 'label' as label
    from job_prospects jp
    join prospects p on p.id = jp.prospect_id
    cross join jsonb_array_elements(p.raw_data -> 'fields') as field
    where jp.job_id = ${jobId} and field ->> 'label' <> ''
    order by label`.execute(db)
  return rows.map((row) => row.label)
}

/**
 * Every prospect a job saved, by auction date and id, in batches: in one read where they are few, else from a cursor
 * (src/db/cursor.ts), which `signal` cancels.
 */
export async function* streamJobProspects(
  db: Database,
  jobId: string,
  signal?: AbortSignal,
): AsyncGenerator<CsvRow[], void, undefined> {
  const ofJob = sql<CsvRow>`
    select p.*, c.name as county_name
    from job_prospects jp
    join prospects p on p.id = jp.prospect_id
    join counties c on c.fips = p.county_fips
    where jp.job_id = ${jobId}
    order by p.auction_date nulls last, p.id`
  const { rows: few } = await sql<CsvRow>`${ofJob} limit ${fewRows + 1}`.execute(db)
  if (few.length <= fewRows) yield few
  else yield* readInBatches(db, [ofJob], signal)
}
