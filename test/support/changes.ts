import type { Database } from '../../src/db/database.ts'
import type { RecordedChange } from '../../src/db/prospects/changes.ts'
import { recordChanges } from '../../src/db/prospects/recordChanges.ts'
import type { KnownProspect } from '../../src/db/prospects/values.ts'
import type { FieldChange, ProspectRow } from '../../src/db/tables.ts'

/** One changed field. */
export const changed = (field: string, before: string | null, after: string | null): FieldChange => ({
  field,
  before,
  after,
})

/** Records changes of a prospect in one transaction, as a saved day does. */
export async function record(
  db: Database,
  prospect: Pick<ProspectRow, 'id' | 'countyFips' | 'auctionType'>,
  changes: readonly RecordedChange[],
  by: { scrapeUrlId: string; jobId: string; at?: Date },
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const rows = changes.map((change) => ({ prospect: prospect as KnownProspect, change }))
    await recordChanges(trx, rows, { at: new Date(), ...by })
  })
}
