import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scrapeUrlsById } from '../../src/db/scrapeUrls.ts'
import { type SaveScrapeUrlInput, saveScrapeUrl } from '../../src/engine/saveScrapeUrl.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

let database: TestDatabase
beforeAll(async () => void (database = await createTestDatabase()))
afterAll(() => database.drop())

const save = (input: SaveScrapeUrlInput) => saveScrapeUrl({ db: database.db, allowPrivateHosts: [] }, input, null)
const paths = (outcome: Awaited<ReturnType<typeof save>>) =>
  outcome.kind === 'invalid' ? outcome.issues.map((issue) => issue.path.join('.')) : outcome.kind

const table = { countyFips: '37089', url: 'https://cove.example/sales', platform: 'HTML_TABLE' } as const

describe('the options of a page with a table', () => {
  test('are checked when they are saved, and come back as they were', async () => {
    const options = { columns: { 'Tract #': 'parcelId', Notes: null }, date: { column: 'Day' }, dateFormat: 'd-LLL-yy' }
    const saved = await save({ ...table, options })
    if (saved.kind !== 'ok') throw new Error(JSON.stringify(saved))
    const [row] = await scrapeUrlsById(database.db, [saved.value.id])
    expect(row).toMatchObject({ options, siteKey: 'https://cove.example/sales', platform: 'HTML_TABLE' })

    const bad = await save({ id: saved.value.id, options: { columns: { A: 'judge' }, money: '(' } })
    expect(paths(bad)).toEqual(['options.columns.A', 'options.money'])
    const [kept] = await scrapeUrlsById(database.db, [saved.value.id])
    expect(kept?.options).toEqual(options)
    expect(paths(await save({ id: saved.value.id, active: false }))).toBe('ok')
    expect(paths(await save({ id: saved.value.id, options: null }))).toBe('ok')
  })

  test('must be an object, and say everything that is wrong with them beside the rest', async () => {
    expect(paths(await save({ ...table, options: ['tr'] }))).toEqual(['options'])
    const bad = { ...table, url: 'ftp://cove.example/', timezone: 'Nowhere', options: { headerRow: 0 } }
    expect(paths(await save(bad))).toEqual(['url', 'timezone', 'options.headerRow'])
  })
})

test('several tables of one host are several sites, one page is one', async () => {
  expect(paths(await save({ ...table, url: 'https://cove.example/other' }))).toBe('ok')
  expect(paths(await save({ ...table, url: 'https://cove.example/other#top' }))).toBe('conflict')
})

test('a CivilView site names its county', async () => {
  const site = { countyFips: '34003', platform: 'CIVILVIEW' } as const
  expect(paths(await save({ ...site, url: 'https://sales.example/Sales/SalesSearch' }))).toEqual(['url'])
  expect(paths(await save({ ...site, url: 'https://sales.example/Sales/SalesSearch?countyId=25' }))).toBe('ok')
  expect(paths(await save({ ...site, url: 'https://sales.example/?countyid=25' }))).toBe('conflict')
  expect(paths(await save({ ...site, url: 'https://sales.example/?countyId=26' }))).toBe('ok')
})
