import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../../src/db/database.ts'
import type { DayRow } from '../../../src/db/saveDay.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { insertSite } from '../../support/rows.ts'
import { sampleRow } from './sample.ts'
import { figures, findChanges, findListing, findProspect, newCase, visit } from './visit.ts'

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
})
afterAll(() => database.drop())

describe('delisting', () => {
  test('is what a proved read says of the listings of its day that it did not show', async () => {
    const { site, read } = await visit(db)
    const [kept, gone, rejected] = ['1', '2', '3'].map((key) => sampleRow(key, { caseNumber: newCase() })) as [
      DayRow,
      DayRow,
      DayRow,
    ]
    const elsewhere = sampleRow('4', { caseNumber: newCase(), auctionDate: '2026-03-06' })
    await read([elsewhere], { date: '2026-03-06' })
    await read([kept, gone, rejected])
    const refused = [{ sourceKey: '3', auctionId: '3', field: 'zip', message: 'not a zip', raw: rejected.raw }]
    await read([kept], { figures: figures('INCOMPLETE') })
    expect(await findProspect(db, site, '2')).toMatchObject({ listed: true })

    await read([kept], { rejected: refused })
    const delisted = await findProspect(db, site, '2')
    expect(delisted).toMatchObject({ listed: false, auctionStatus: 'SCHEDULED' })
    expect(delisted.delistedAt).toEqual(delisted.updatedAt)
    expect((await findListing(db, site, '2')).delistedAt).toEqual(delisted.delistedAt)
    for (const key of ['1', '3', '4']) {
      expect(await findProspect(db, site, key)).toMatchObject({ listed: true })
      expect(await findListing(db, site, key)).toMatchObject({ delistedAt: null })
    }

    await read([kept], { rejected: refused })
    expect((await findProspect(db, site, '2')).updatedAt).toEqual(delisted.updatedAt)

    expect(await read([kept, gone])).toMatchObject({ updated: 1, unchanged: 1 })
    expect(await findProspect(db, site, '2')).toMatchObject({ listed: true, delistedAt: null })
    const history = await findChanges(db, delisted.id)
    expect(history.map((one) => one.kind)).toEqual(['CREATED', 'DELISTED', 'RELISTED'])
    expect(history[1]?.fields).toEqual([
      { field: 'listed', before: 'true', after: 'false' },
      { field: 'delistedAt', before: null, after: delisted.delistedAt?.toISOString() },
    ])
  })

  test('leaves a prospect listed while another site shows it', async () => {
    const one = await visit(db)
    const two = await visit(db, await insertSite(db, { platform: 'HTML_TABLE' }))
    const row = (key: string, caseNumber: string) => sampleRow(key, { caseNumber })
    const caseNumber = newCase()
    await one.read([row('1', caseNumber)])
    await two.read([row('x', caseNumber)])
    await one.read([], { figures: figures('EMPTY') })
    expect(await findProspect(db, one.site, '1')).toMatchObject({ listed: true })
    await two.read([], { figures: figures('EMPTY') })
    expect(await findProspect(db, one.site, '1')).toMatchObject({ listed: false })
  })
})
