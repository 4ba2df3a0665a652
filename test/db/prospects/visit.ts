import type { Database } from '../../../src/db/database.ts'
import { type DayRow, type SaveDayInput, saveDay } from '../../../src/db/saveDay.ts'
import type { ScrapeUrlRow } from '../../../src/db/tables.ts'
import type { DayFigures, ReadOutcome } from '../../../src/domain.ts'
import { insertJob, insertSite, openExecution } from '../../support/rows.ts'

/** The day that tests read unless they say otherwise; the day before is today. */
export const date = '2026-03-05'

let caseCount = 0
/** A case number no other test of the file has: they share a county. */
export const newCase = (): string => `16-2026-CA-${++caseCount}`

export function figures(outcome: ReadOutcome): DayFigures {
  const proof = outcome === 'COMPLETE' || outcome === 'EMPTY' ? 'ID_LIST' : null
  return { outcome, proof, expected: null, scheduled: null, waiting: null, running: null, closed: null, pages: 1 }
}

/** A COMPLETE read of the day without rows, changed as told. */
export function dayInput(site: ScrapeUrlRow, executionId: string, change: Partial<SaveDayInput> = {}): SaveDayInput {
  return {
    executionId,
    date,
    figures: figures('COMPLETE'),
    today: '2026-03-04',
    siteKey: site.siteKey,
    rows: [],
    rejected: [],
    error: null,
    durationMs: 12.4,
    lines: () => [],
    stages: [],
    ...change,
  }
}

/** A site (a new one unless given) with a job that runs, and how to save a read of it. */
export async function visit(db: Database, given?: ScrapeUrlRow) {
  const site = given ?? (await insertSite(db))
  const job = await insertJob(db, site, { startDate: date, endDate: '2026-03-07' })
  const executionId = await openExecution(db, job.id)
  return {
    site,
    job,
    executionId,
    read: (rows: readonly DayRow[], change: Partial<SaveDayInput> = {}) =>
      saveDay(db, dayInput(site, executionId, { rows, ...change })),
  }
}

/** The site's open listing. */
export async function findListing(db: Database, site: ScrapeUrlRow, sourceKey: string) {
  return await db
    .selectFrom('listings')
    .selectAll()
    .where('siteKey', '=', site.siteKey)
    .where('sourceKey', '=', sourceKey)
    .where('closedAt', 'is', null)
    .executeTakeFirstOrThrow()
}

/** The prospect of the site's open listing. */
export async function findProspect(db: Database, site: ScrapeUrlRow, sourceKey: string) {
  return await prospectById(db, (await findListing(db, site, sourceKey)).prospectId)
}

export async function prospectById(db: Database, id: string) {
  return await db.selectFrom('prospects').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

/** A prospect's history, oldest first. */
export async function findChanges(db: Database, prospectId: string) {
  return await db
    .selectFrom('prospectChanges')
    .selectAll()
    .where('prospectId', '=', prospectId)
    .orderBy('position')
    .execute()
}
