import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../../src/db/database.ts'
import type { DayRow } from '../../../src/db/saveDay.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { insertSite } from '../../support/rows.ts'
import { sampleRow } from './sample.ts'
import { date, figures, findChanges, findProspect, newCase, prospectById, visit } from './visit.ts'

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
})
afterAll(() => database.drop())

describe('a listing', () => {
  test('keeps its prospect whatever changes, its date included, and takes the next lot where its own is held', async () => {
    const { site, read } = await visit(db)
    const caseNumber = newCase()
    const [a, b] = ['1', '2'].map((key, i) => sampleRow(key, { caseNumber, parcelId: `P-${i}` })) as [DayRow, DayRow]
    const elsewhere = sampleRow('3', { caseNumber, parcelId: 'P-3', auctionDate: '2026-03-06' })
    await read([a, b])
    await read([elsewhere], { date: '2026-03-06' })
    const before = await findProspect(db, site, '1')
    expect([before.lot, (await findProspect(db, site, '2')).lot, (await findProspect(db, site, '3')).lot]).toEqual([
      1, 2, 1,
    ])

    const moved = (row: DayRow) => ({ ...row, fields: { ...row.fields, auctionDate: '2026-03-06' } })
    expect(await read([moved(a), moved(b), elsewhere], { date: '2026-03-06' })).toMatchObject({
      created: 0,
      updated: 2,
      unchanged: 1,
    })
    const after = await findProspect(db, site, '1')
    expect(after).toMatchObject({ id: before.id, auctionDate: '2026-03-06', lot: 2 })
    expect(await findProspect(db, site, '2')).toMatchObject({ lot: 3 })
    expect((await findChanges(db, after.id)).at(-1)?.fields).toEqual([
      { field: 'auctionDate', before: date, after: '2026-03-06' },
      { field: 'lot', before: '1', after: '2' },
    ])
    // A lot that was used is not given out again.
    await read([sampleRow('4', { caseNumber, parcelId: 'P-4' })])
    expect(await findProspect(db, site, '4')).toMatchObject({ lot: 3 })
  })

  test('may swap its date with another of its case', async () => {
    const { site, read } = await visit(db)
    const caseNumber = newCase()
    const on = (key: string, auctionDate: string) => sampleRow(key, { caseNumber, parcelId: `P-${key}`, auctionDate })
    await read([on('1', date)])
    await read([on('2', '2026-03-06')], { date: '2026-03-06' })
    const ids = [(await findProspect(db, site, '1')).id, (await findProspect(db, site, '2')).id]
    await read([on('1', '2026-03-06'), on('2', date)], { figures: figures('INCOMPLETE') })
    expect(await findProspect(db, site, '1')).toMatchObject({ id: ids[0], auctionDate: '2026-03-06', lot: 1 })
    expect(await findProspect(db, site, '2')).toMatchObject({ id: ids[1], auctionDate: date, lot: 1 })
  })

  test('of RealAuction that shows another case is a new one, and the old is delisted when its day is read', async () => {
    const { site, read } = await visit(db)
    const [first, second] = [newCase(), newCase()]
    await read([sampleRow('7', { caseNumber: first })])
    const old = await findProspect(db, site, '7')
    await read([sampleRow('7', { caseNumber: second, auctionDate: '2026-03-06' })], { date: '2026-03-06' })
    expect((await findProspect(db, site, '7')).id).not.toBe(old.id)
    expect(await prospectById(db, old.id)).toMatchObject({ caseNumber: first, listed: true })
    await read([])
    expect(await prospectById(db, old.id)).toMatchObject({ listed: false, auctionStatus: 'SCHEDULED' })
    expect((await findChanges(db, old.id)).map((one) => one.kind)).toEqual(['CREATED', 'DELISTED'])
    await read([sampleRow('8', { caseNumber: first })])
    expect(await findProspect(db, site, '8')).toMatchObject({ id: old.id, listed: true, delistedAt: null })
  })

  test('of another platform keeps its prospect when its case number changes', async () => {
    const { site, read } = await visit(db, await insertSite(db, { platform: 'CIVILVIEW' }))
    await read([sampleRow('F-9', { caseNumber: newCase() })])
    const before = await findProspect(db, site, 'F-9')
    const caseNumber = newCase()
    await read([sampleRow('F-9', { caseNumber })])
    expect(await findProspect(db, site, 'F-9')).toMatchObject({ id: before.id, caseNumber })
  })

  test('of a second site is adopted, fills what is missing and never overwrites', async () => {
    const one = await visit(db)
    const two = await visit(db, await insertSite(db, { platform: 'HTML_TABLE' }))
    const caseNumber = newCase()
    await one.read([sampleRow('1', { caseNumber, plaintiff: null })])
    const other = sampleRow('x', { caseNumber, plaintiff: 'BANK OF HERONS', city: 'JAX' })
    expect(await two.read([other])).toMatchObject({ created: 0, updated: 1 })
    const adopted = await findProspect(db, two.site, 'x')
    expect(adopted).toMatchObject({
      id: (await findProspect(db, one.site, '1')).id,
      plaintiff: 'BANK OF HERONS',
      city: 'JACKSONVILLE',
      auctionId: '1',
    })
    expect(await one.read([sampleRow('1', { caseNumber, plaintiff: null })])).toMatchObject({ updated: 0 })
    expect(await two.read([other])).toMatchObject({ updated: 0, unchanged: 1 })
    expect((await findChanges(db, adopted.id)).map((change) => change.kind)).toEqual(['CREATED', 'UPDATED'])
  })

  test('is not adopted without a parcel or an address, nor where two prospects fit', async () => {
    const one = await visit(db)
    const two = await visit(db, await insertSite(db, { platform: 'HTML_TABLE' }))
    const [bare, twice] = [newCase(), newCase()]
    const nowhere = { caseNumber: bare, parcelId: 'MULTIPLE', propertyAddress: null }
    await one.read([
      sampleRow('1', nowhere),
      sampleRow('2', { caseNumber: twice }),
      sampleRow('3', { caseNumber: twice }),
    ])
    expect(await two.read([sampleRow('x', nowhere), sampleRow('y', { caseNumber: twice })])).toMatchObject({
      created: 2,
    })
    expect(await findProspect(db, two.site, 'y')).toMatchObject({ lot: 3 })
  })

  test('without a case number is kept and found again', async () => {
    const { site, read } = await visit(db)
    const row = (key: string) => sampleRow(key, { caseNumber: null, parcelId: null, propertyAddress: null })
    expect(await read([row('1'), row('2')])).toMatchObject({ created: 2 })
    expect(await read([row('2'), row('1')])).toMatchObject({ unchanged: 2 })
    const lots = [(await findProspect(db, site, '1')).lot, (await findProspect(db, site, '2')).lot]
    expect(new Set(lots).size).toBe(2)
  })
})
