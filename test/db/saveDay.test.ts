import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FencedError } from '../../src/db/changeJob.ts'
import type { Database } from '../../src/db/database.ts'
import { saveDay } from '../../src/db/saveDay.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { closeExecution, insertSite, openExecution } from '../support/rows.ts'
import { sampleRow } from './prospects/sample.ts'
import { date, dayInput, figures, findChanges, findProspect, newCase, visit } from './prospects/visit.ts'

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
})
afterAll(() => database.drop())

const jobRow = (id: string) => db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow()

describe('a day', () => {
  test('is saved with its prospects, history, report, log line and counters', async () => {
    const { site, job, executionId, read } = await visit(db)
    const caseNumber = newCase()
    const saved = await read([sampleRow('1', { caseNumber, openingBid: '100' })], {
      rejected: [
        {
          sourceKey: '2',
          auctionId: '2',
          field: 'openingBid',
          message: 'not an amount',
          raw: { fields: [{ label: 'Opening Bid:', value: 'ten' }], status: null, area: 'W' },
        },
      ],
      lines: (counts) => [{ level: 'INFO', message: `${date} saved`, data: { ...counts } }],
      stages: [{ name: 'FETCH', durationMs: 5, count: 2 }],
    })
    expect(saved).toMatchObject({ created: 1, updated: 0, unchanged: 0, rejected: 1, errorId: null, final: false })

    const stored = await findProspect(db, site, '1')
    expect(stored).toMatchObject({
      caseNumber,
      lot: 1,
      countyFips: '12031',
      countyState: 'FL',
      openingBid: '100.00',
      auctionDate: date,
      startsAt: new Date('2026-03-05T15:00:00.000Z'),
      listed: true,
      lastJobId: job.id,
    })
    const [created, ...more] = await findChanges(db, stored.id)
    expect(more).toEqual([])
    expect(created).toMatchObject({ kind: 'CREATED', jobId: job.id, auctionType: 'FORECLOSURE', at: stored.updatedAt })
    expect(created?.fields).toContainEqual({ field: 'openingBid', before: null, after: '100.00' })
    expect(created?.fields).toContainEqual({ field: 'startsAt', before: null, after: '2026-03-05T15:00:00.000Z' })
    expect(created?.fields).toContainEqual({ field: 'lot', before: null, after: '1' })
    expect(created?.fields.every((field) => field.after !== null)).toBe(true)
    expect(created?.fields.map((field) => field.field)).not.toContain('rawData')

    const report = await db
      .selectFrom('scrapeDays')
      .selectAll()
      .where('id', '=', saved.reportId)
      .executeTakeFirstOrThrow()
    expect(report).toMatchObject({
      date,
      jobId: job.id,
      executionId,
      latest: true,
      attempt: 1,
      outcome: 'COMPLETE',
      proof: 'ID_LIST',
      received: 2,
      saved: 1,
      rejected: 1,
      created: 1,
      durationMs: 12,
    })
    const days = await db.selectFrom('scrapeDays').select(['date', 'outcome']).where('jobId', '=', job.id).execute()
    expect(days).toHaveLength(3)

    const errors = await db.selectFrom('jobErrors').selectAll().where('jobId', '=', job.id).execute()
    expect(errors).toMatchObject([
      {
        category: 'DATA_VALIDATION',
        code: 'ROW_INVALID',
        retryable: false,
        field: 'openingBid',
        auctionId: '2',
        date,
        scrapeDayId: saved.reportId,
        executionId,
        rawData: { fields: [{ label: 'Opening Bid:', value: 'ten' }] },
      },
    ])
    expect(await jobRow(job.id)).toMatchObject({
      sequence: job.sequence + 1,
      lastLine: 1,
      rowsProcessed: 2,
      rowsSuccess: 1,
      rowsFailed: 1,
      datesDone: 1,
    })
    const execution = await db
      .selectFrom('executions')
      .selectAll()
      .where('id', '=', executionId)
      .executeTakeFirstOrThrow()
    expect(execution).toMatchObject({
      rowsProcessed: 2,
      rowsSuccess: 1,
      rowsFailed: 1,
      stages: [{ name: 'FETCH', durationMs: 5, count: 2 }],
    })
    const line = await db.selectFrom('jobLogLines').selectAll().where('jobId', '=', job.id).executeTakeFirstOrThrow()
    expect(line).toMatchObject({ line: 1, executionId, message: `${date} saved` })
    expect(line.data).toEqual({ created: 1, updated: 0, unchanged: 0, saved: 1, rejected: 1 })
    const link = await db.selectFrom('jobProspects').selectAll().where('jobId', '=', job.id).execute()
    expect(link).toEqual([{ jobId: job.id, prospectId: stored.id }])
    const url = await db.selectFrom('scrapeUrls').selectAll().where('id', '=', site.id).executeTakeFirstOrThrow()
    expect(url.lastScrapedAt).toEqual(stored.lastSeenAt)
  })

  test('that is read again unchanged adds no history and moves only the times at which things were last seen', async () => {
    const { site, job, read } = await visit(db)
    const rows = [sampleRow('1', { caseNumber: newCase() }), sampleRow('2', { caseNumber: newCase() })]
    await read(rows)
    const before = await findProspect(db, site, '1')
    const again = await read(rows.toReversed())
    expect(again).toMatchObject({ created: 0, updated: 0, unchanged: 2 })
    const after = await findProspect(db, site, '1')
    expect(after.updatedAt).toEqual(before.updatedAt)
    expect(after.lastSeenAt.getTime()).toBeGreaterThan(before.lastSeenAt.getTime())
    expect(await findChanges(db, after.id)).toHaveLength(1)
    const reports = await db
      .selectFrom('scrapeDays')
      .select('latest')
      .where('jobId', '=', job.id)
      .where('date', '=', date)
      .orderBy('finishedAt')
      .execute()
    expect(reports.map((report) => report.latest)).toEqual([false, true])
    expect(await jobRow(job.id)).toMatchObject({ rowsSuccess: 2, datesDone: 1 })
  })

  test('that differs in raw data alone stores it without a change', async () => {
    const { site, read } = await visit(db)
    const row = sampleRow('1', { caseNumber: newCase() })
    await read([row])
    const before = await findProspect(db, site, '1')
    const raw = { ...row.raw, area: 'C' as const }
    expect(await read([{ ...row, raw }])).toMatchObject({ updated: 0, unchanged: 1 })
    const after = await findProspect(db, site, '1')
    expect(after.rawData).toEqual(raw)
    expect(after.updatedAt).toEqual(before.updatedAt)
    expect(await findChanges(db, after.id)).toHaveLength(1)
  })

  test('records what changed with the values as the API prints them, surplus included', async () => {
    const { site, read } = await visit(db)
    const change = { caseNumber: newCase(), finalJudgmentAmount: '200000.00' }
    await read([sampleRow('1', change)])
    const saved = await read([
      sampleRow('1', {
        ...change,
        auctionStatus: 'SOLD',
        auctionStatusText: 'Auction Sold',
        saleAmount: '250000.5',
        soldAt: '2026-03-05T15:12:00.000Z',
        soldTo: '3rd Party Bidder',
        buyerType: 'THIRD_PARTY',
      }),
    ])
    expect(saved).toMatchObject({ updated: 1, unchanged: 0 })
    const stored = await findProspect(db, site, '1')
    const [, updated] = await findChanges(db, stored.id)
    expect(updated).toMatchObject({ kind: 'UPDATED', at: stored.updatedAt })
    expect(updated?.fields).toEqual([
      { field: 'auctionStatus', before: 'SCHEDULED', after: 'SOLD' },
      { field: 'auctionStatusText', before: null, after: 'Auction Sold' },
      { field: 'saleAmount', before: null, after: '250000.50' },
      { field: 'soldAt', before: null, after: '2026-03-05T15:12:00.000Z' },
      { field: 'soldTo', before: null, after: '3rd Party Bidder' },
      { field: 'buyerType', before: null, after: 'THIRD_PARTY' },
      { field: 'surplus', before: null, after: '50000.50' },
    ])
  })

  test('keeps why it is not done, and saves what it has', async () => {
    const { job, read } = await visit(db)
    const saved = await read([sampleRow('1', { caseNumber: newCase() })], {
      figures: { ...figures('INCOMPLETE'), expected: 2 },
      error: {
        category: 'PARSING',
        code: 'DAY_INCOMPLETE',
        message: '1 of 2 items',
        retryable: true,
        traceback: 'at read',
        url: 'https://duval.example.com/',
      },
    })
    const error = await db.selectFrom('jobErrors').selectAll().where('jobId', '=', job.id).executeTakeFirstOrThrow()
    expect(error).toMatchObject({
      id: saved.errorId,
      code: 'DAY_INCOMPLETE',
      retryable: true,
      date,
      traceback: 'at read',
      url: 'https://duval.example.com/',
      scrapeDayId: saved.reportId,
    })
    expect(await jobRow(job.id)).toMatchObject({ rowsSuccess: 1, datesDone: 0 })
  })

  test('of a closed execution is refused and leaves nothing', async () => {
    const { job, executionId, read } = await visit(db)
    await closeExecution(db, executionId)
    await expect(read([sampleRow('1', { caseNumber: newCase() })])).rejects.toThrow(FencedError)
    expect(await jobRow(job.id)).toMatchObject({ sequence: job.sequence, rowsSuccess: 0 })
  })

  test('that fails while it is being written leaves nothing behind', async () => {
    const { site, job, read } = await visit(db)
    const fails = read([sampleRow('1', { caseNumber: newCase() })], {
      lines: () => {
        throw new Error('no line today')
      },
    })
    await expect(fails).rejects.toThrow('no line today')
    const kept = await db.selectFrom('listings').selectAll().where('siteKey', '=', site.siteKey).execute()
    expect(kept).toEqual([])
    expect(await jobRow(job.id)).toMatchObject({ sequence: job.sequence })
  })

  test('counts each day once over attempts, and for an execution what it read itself', async () => {
    const { site, job, executionId, read } = await visit(db)
    const [a, b] = [sampleRow('1', { caseNumber: newCase() }), sampleRow('2', { caseNumber: newCase() })]
    const next = sampleRow('3', { caseNumber: newCase(), auctionDate: '2026-03-06' })
    await read([next], { date: '2026-03-06' })
    await read([a], { figures: figures('INCOMPLETE') })
    await closeExecution(db, executionId)
    const second = await openExecution(db, job.id)
    await saveDay(db, dayInput(site, second, { rows: [a, b] }))
    expect(await jobRow(job.id)).toMatchObject({ rowsSuccess: 3, rowsProcessed: 3, datesDone: 2 })
    const own = await db.selectFrom('executions').select(['id', 'rowsSuccess']).where('jobId', '=', job.id).execute()
    expect(own).toContainEqual({ id: second, rowsSuccess: 2 })
  })

  test('of undated rows has a report without a date, which is no date of the job', async () => {
    const { site, job, read } = await visit(db, await insertSite(db, { platform: 'CIVILVIEW' }))
    const row = sampleRow('F-1', { caseNumber: newCase(), auctionDate: null, startsAt: null, timeText: null })
    const first = await read([row], { date: null })
    const second = await read([row], { date: null })
    expect(first.reportId).not.toBe(second.reportId)
    expect(second).toMatchObject({ unchanged: 1, final: false })
    expect(await findProspect(db, site, 'F-1')).toMatchObject({ auctionDate: null, lot: 1 })
    expect(await jobRow(job.id)).toMatchObject({ rowsSuccess: 1, datesDone: 0 })
  })

  test('with text that Postgres cannot store is saved with that text replaced', async () => {
    const { site, read } = await visit(db)
    await read([sampleRow('1', { caseNumber: newCase(), defendant: 'DOE\u0000 \uD800 JANE' })])
    expect(await findProspect(db, site, '1')).toMatchObject({ defendant: 'DOE\uFFFD \uFFFD JANE' })
  })
})

describe('the number of statements', () => {
  test('does not depend on the number of rows', async () => {
    const countFor = async (size: number) => {
      const { site, executionId } = await visit(db)
      const rows = Array.from({ length: size }, (_, i) => sampleRow(`${i}`, { caseNumber: newCase() }))
      let statements = 0
      const counted = db.withPlugin({
        transformQuery: ({ node }) => {
          statements += 1
          return node
        },
        transformResult: ({ result }) => Promise.resolve(result),
      })
      await saveDay(counted, dayInput(site, executionId, { rows }))
      const created = statements
      const moved = rows.map((row) => ({ ...row, fields: { ...row.fields, auctionDate: '2026-03-06' } }))
      await saveDay(counted, dayInput(site, executionId, { rows: moved }))
      return [created, statements - created]
    }
    const few = await countFor(5)
    expect(await countFor(200)).toEqual(few)
    expect(Math.max(...few)).toBeLessThan(35)
  })
})

test('positions of changes are gapless over sites that save at once, and the county keeps them apart', async () => {
  const visits = await Promise.all(Array.from({ length: 4 }, () => visit(db)))
  const caseNumber = newCase()
  await Promise.all(visits.map(({ read }, i) => read([sampleRow(`${i}`, { caseNumber })])))
  const adopted = new Set(
    await Promise.all(visits.map(async ({ site }, i) => (await findProspect(db, site, `${i}`)).id)),
  )
  expect(adopted.size).toBe(1)
  const stored = await db.selectFrom('prospectChanges').select('position').orderBy('position').execute()
  expect(stored.map((one) => one.position)).toEqual(stored.map((_, i) => i + 1))
})
