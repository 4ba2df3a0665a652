import type { JobRow } from '../db/tables.ts'
import type { Outcome } from '../engine/outcome.ts'
import type { Context } from './context.ts'

/** recoverStaleJobs of the contract; without a time it is GAVEL_STALE_AFTER. */
export async function recoverStale(
  olderThanSeconds: number | null | undefined,
  { commands }: Context,
): Promise<Outcome<{ jobs: JobRow[] }>> {
  return await commands.recoverStaleJobs({ olderThanSeconds: olderThanSeconds ?? undefined })
}
