import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RawField } from '../../src/domain.ts'
import { jobCsvName, streamJobCsv, writeJobCsv } from '../../src/engine/csv.ts'
import { openQueue, type Queue } from '../../src/engine/queue.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { commandsOn, insertScrapeUrl, silent, submitted } from '../support/engineFixtures.ts'

let test: TestDatabase
let queue: Queue
let folder: string

beforeAll(async () => {
  test = await createTestDatabase()
  queue = await openQueue({ db: test.db, databaseUrl: test.url, staleAfterSeconds: 10, worker: false, log: silent })
  folder = await mkdtemp(join(tmpdir(), 'gavel-csv-'))
})

afterAll(async () => {
  await queue.stop()
  await test.drop()
  await rm(folder, { recursive: true })
})

const place = { state: 'FL', countyName: 'St. Lucie / North' }

/** A job that has saved one prospect for each list of raw fields. */
async function jobWith(prospects: { fields: RawField[]; text?: string; amount?: string }[]): Promise<{ id: string }> {
  const job = await submitted(commandsOn(test.db, queue), { scrapeUrlId: await insertScrapeUrl(test.db) })
  for (const [n, { fields, text = 'x', amount = '1.00' }] of prospects.entries()) {
    const { id } = await test.db
      .insertInto('prospects')
      .values({
        countyFips: '12086',
        countyState: 'FL',
        caseNumber: text,
        caseKey: `${job.id}${n}`,
        lot: 1,
        auctionDate: '2026-03-16',
        auctionStatus: 'SCHEDULED',
        auctionType: 'FORECLOSURE',
        finalJudgmentAmount: amount,
        sourceUrl: 'https://site.example.test/',
        rawData: JSON.stringify({ fields, status: null, area: null }),
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await test.db.insertInto('jobProspects').values({ jobId: job.id, prospectId: id }).execute()
  }
  return job
}

async function text(jobId: string): Promise<string> {
  return (await Array.fromAsync(streamJobCsv(test.db, jobId))).join('')
}

it('has a column for every raw label of any prospect, and joins what continues a label', async () => {
  const job = await jobWith([
    {
      fields: [
        { label: 'Street:', value: '1 ELM ST' },
        { label: '', value: 'OPA-LOCKA, FL- 33054' },
      ],
    },
    { fields: [{ label: 'Bid:', value: 'Hidden' }] },
  ])
  const lines = (await text(job.id)).trimEnd().split('\n')
  expect(lines[0]).toMatch(/,updatedAt,Bid:,Street:$/)
  const tails = lines.slice(1).map((line) => line.slice(line.lastIndexOf('Z,') + 2))
  expect(tails.toSorted()).toEqual([',"1 ELM ST, OPA-LOCKA, FL- 33054"', 'Hidden,'])
})

it.each(['=1+1', '+1', '-1', '@x', '\tx', '\rx'])(
  'marks the text %j, which a spreadsheet would run',
  async (formula) => {
    const job = await jobWith([{ fields: [{ label: 'A:', value: formula }], text: formula }])
    const [, line = ''] = (await text(job.id)).split(/\n(?=UHJvc3BlY3Q6)/)
    // csv-stringify quotes what holds a line break or a tab of its own accord.
    expect(line.replaceAll('"', '')).toContain(`,Miami-Dade,'${formula},`)
    expect(line.replaceAll('"', '').trimEnd().endsWith(`,'${formula.trimEnd()}`)).toBe(true)
  },
)

it('leaves the minus of an amount alone', async () => {
  const job = await jobWith([{ fields: [], amount: '-384359.59' }])
  expect(await text(job.id)).toContain(',-384359.59,')
})

it('holds more rows than are fetched at once', async () => {
  const job = await jobWith(Array.from({ length: 501 }, () => ({ fields: [] })))
  expect((await text(job.id)).trimEnd().split('\n')).toHaveLength(502)
})

it('has a header alone for a job that saved nothing', async () => {
  const job = await jobWith([])
  expect((await text(job.id)).trimEnd().split('\n')).toHaveLength(1)
})

it('is written under the name of its place and job, with nothing left beside it', async () => {
  const job = await jobWith([{ fields: [] }])
  const into = join(folder, 'new')
  const path = await writeJobCsv(test.db, into, job, place)
  expect(await readdir(into)).toEqual([`FL_St.-Lucie---North_${job.id}.csv`])
  expect(path).toBe(join(into, jobCsvName(job, place)))
  expect(await readFile(path, 'utf8')).toBe(await text(job.id))
})

it('fails with DISK where there can be no folder', async () => {
  const job = await jobWith([])
  const file = join(folder, 'a file')
  await writeFile(file, '')
  await expect(writeJobCsv(test.db, join(file, 'sub'), job, place)).rejects.toMatchObject({ code: 'DISK' })
})
