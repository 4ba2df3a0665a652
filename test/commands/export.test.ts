import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readCsv } from '../support/csv.ts'
import { type Gavel, openGavel } from '../support/gavel.ts'
import { insertProspects } from '../support/prospects.ts'

let gavel: Gavel
beforeAll(async () => {
  gavel = await openGavel([])
  await insertProspects(gavel.db, [
    ...Array.from({ length: 600 }, (_, i) => ({ caseNumber: `D-${i}`, auctionDate: '2026-03-16' })),
    { caseNumber: 'EARLY', auctionDate: '2026-03-01' },
    { caseNumber: 'LATE', auctionDate: '2026-04-01' },
    { caseNumber: 'UNDATED' },
    { caseNumber: 'ELSEWHERE', countyFips: '12086', auctionDate: '2026-03-16' },
  ])
})
afterAll(() => gavel.close())

test('it streams to stdout what it is asked for, as CSV unless told', async () => {
  const csv = await gavel.run(['export', '--state', 'fl', '--county', 'miami-dade'])
  expect(csv).toMatchObject({ code: 0, stderr: '' })
  expect(readCsv(csv.stdout)).toEqual([expect.objectContaining({ caseNumber: 'ELSEWHERE', county: 'Miami-Dade' })])

  const dates = ['--from', '2026-03-16', '--to', '2026-04-01']
  const ndjson = await gavel.run(['export', '--format', 'NDJSON', '--state', 'FL', ...dates])
  const cases = ndjson.stdout
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { caseNumber: string }).caseNumber)
  expect([ndjson.code, cases.length, cases.at(-1)]).toEqual([0, 602, 'LATE'])
  expect(cases).not.toContain('EARLY')
})

test('it replaces a file when it is done, and leaves nothing beside it', async () => {
  const folder = join(gavel.folder, 'out')
  await mkdir(folder)
  await writeFile(join(folder, 'all.csv'), 'old')
  expect(await gavel.run(['export', '-o', 'out/all.csv'])).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expect(readCsv(await readFile(join(folder, 'all.csv'), 'utf8')).map((row) => row['caseNumber'])).toHaveLength(604)
  const missing = await gavel.run(['export', '-o', 'nowhere/all.csv'])
  expect(missing).toMatchObject({ code: 1, stdout: '' })
  expect(missing.stderr).toMatch(/^gavel export: ENOENT[^\n]*\n$/)
  const taken = await gavel.run(['export', '-o', 'out'])
  expect(taken.code).toBe(1)
  expect([await readdir(folder), (await readdir(gavel.folder)).filter((name) => name.endsWith('.part'))]).toEqual([
    ['all.csv'],
    [],
  ])
})

test.each([
  [['--format', 'xlsx'], '--format must be one of csv, ndjson'],
  [['--county', 'Duval'], '--county takes the --state it is in'],
  [['--state', 'ZZ'], 'there is no state ZZ'],
  [['--state', 'FL', '--county', 'Nowhere'], 'there is no county Nowhere in FL'],
  [['--from', '2026-02-30'], '--from must be a day such as 2026-03-19'],
  [['--from', '2026-03-02', '--to', '2026-03-01'], '--from must not be after --to'],
])('it exits with 2 for %j', async (args, message) => {
  expect(await gavel.run(['export', ...args])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: `gavel export: ${message}\n`,
  })
})

test('a reader that has enough ends it quietly', async () => {
  const started = gavel.start(['export'])
  started.closeOutput()
  expect(await started.ended).toMatchObject({ code: 0, stderr: '' })
})
