import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ScrapeUrlRow } from '../../src/db/tables.ts'
import { addDays } from '../../src/engine/suggestedRange.ts'
import { idOf, startTestApi, type TestApi } from '../support/api.ts'
import { insertJob, insertSite } from '../support/rows.ts'

let api: TestApi
let site: ScrapeUrlRow
beforeAll(async () => {
  api = await startTestApi()
  site = await insertSite(api.db)
})
afterAll(() => api.stop())

const nobody = '00000000-0000-4000-8000-000000000000'
const fields = `id cron timezone active lookbackDays lookaheadDays priority nextRunAt lastRunAt skippedRuns
  scrapeUrl { url } lastJob { id } createdBy { name }`
const saving = `mutation($input: SaveScheduleInput!) { saveSchedule(input: $input) { __typename
  ... on SaveScheduleSuccess { schedule { ${fields} } } ... on InvalidInputError { issues { path message } }
  ... on NotFoundError { id } ... on Error { message } } }`
const deleting = `mutation($id: ID!) { deleteSchedule(id: $id) { __typename
  ... on DeleteScheduleSuccess { deletedId } ... on NotFoundError { id } } }`

const save = async (input: Record<string, unknown>) => (await api.ask(saving, { input })).saveSchedule
const make = async (input: Record<string, unknown> = {}) =>
  (await save({ scrapeUrlId: idOf('CountyScrapeUrl', site.id), cron: '0 6 * * *', ...input })).schedule

/** A job that this schedule has made, with some of its days only. */
async function madeBy(scheduleId: string, dates: { startDate: string; endDate: string; own: readonly string[] }) {
  const { own, ...range } = dates
  const job = await insertJob(api.db, site, range)
  const key = Buffer.from(scheduleId, 'base64url').toString().slice('Schedule:'.length)
  await api.db.deleteFrom('scrapeDays').where('jobId', '=', job.id).where('date', 'not in', own).execute()
  const change = { scheduleId: key, datesTotal: own.length }
  await api.db.updateTable('jobs').set(change).where('id', '=', job.id).execute()
  return job
}

describe('saveSchedule', () => {
  test('saves a schedule with its defaults, in the zone of its site, and changes it', async () => {
    const made = await make()
    expect(made).toEqual({
      id: expect.any(String),
      cron: '0 6 * * *',
      timezone: 'America/New_York',
      active: true,
      lookbackDays: 14,
      lookaheadDays: 30,
      priority: 0,
      nextRunAt: expect.stringMatching(/T1[01]:00:00\.000Z$/),
      lastRunAt: null,
      skippedRuns: 0,
      scrapeUrl: { url: site.url },
      lastJob: null,
      createdBy: { name: 'admin' },
    })
    const { schedule } = await save({ id: made.id, timezone: 'UTC', lookbackDays: 0, active: false })
    expect(schedule).toEqual({ ...made, timezone: 'UTC', lookbackDays: 0, active: false, nextRunAt: null })
  })

  test('tells everything that is wrong, each with its path', async () => {
    const wrong = { scrapeUrlId: idOf('CountyScrapeUrl', site.id), cron: '61 * * * *', timezone: 'X', lookbackDays: -1 }
    const refused = await save(wrong)
    expect(refused).toMatchObject({ __typename: 'InvalidInputError' })
    expect(refused.issues.map((issue: { path: string[] }) => issue.path)).toEqual([
      ['cron'],
      ['timezone'],
      ['lookbackDays'],
    ])
  })

  test('does not find a schedule or a scrape URL that is not there', async () => {
    for (const id of ['nonsense', idOf('Schedule', nobody), idOf('CountyScrapeUrl', site.id)]) {
      expect(await save({ id, active: false })).toMatchObject({ __typename: 'NotFoundError', id })
    }
    for (const scrapeUrlId of ['nonsense', idOf('CountyScrapeUrl', nobody)]) {
      expect(await save({ scrapeUrlId, cron: '@daily' })).toMatchObject({
        __typename: 'NotFoundError',
        id: scrapeUrlId,
      })
    }
  })

  test('moves with its site to another zone', async () => {
    const made = await make()
    const input = { id: idOf('CountyScrapeUrl', site.id), timezone: 'Asia/Tokyo' }
    await api.ask('mutation($input: SaveScrapeUrlInput!) { saveScrapeUrl(input: $input) { __typename } }', { input })
    const { node } = await api.ask(`query($id: ID!) { node(id: $id) { ... on Schedule { timezone nextRunAt } } }`, made)
    expect(node).toEqual({ timezone: 'Asia/Tokyo', nextRunAt: expect.stringContaining('T21:00:00') })
    await api.ask('mutation($input: SaveScrapeUrlInput!) { saveScrapeUrl(input: $input) { __typename } }', {
      input: { ...input, timezone: null },
    })
  })
})

test('who may: OPERATOR saves and deletes, VIEWER reads', async () => {
  const viewer = await api.keyOf('VIEWER')
  const operator = await api.keyOf('OPERATOR')
  const input = { scrapeUrlId: idOf('CountyScrapeUrl', site.id), cron: '@weekly' }
  const refused = await api.post(saving, { input }, viewer.key)
  expect(refused.errors?.[0]?.extensions.code).toBe('FORBIDDEN')
  const { saveSchedule } = await api.ask(saving, { input }, operator.key)
  const { id } = saveSchedule.schedule
  const { schedules } = await api.ask('{ schedules { id } }', {}, viewer.key)
  expect(schedules.map((one: { id: string }) => one.id)).toContain(id)
  expect((await api.post(deleting, { id }, viewer.key)).errors?.[0]?.extensions.code).toBe('FORBIDDEN')
  expect((await api.ask(deleting, { id }, operator.key)).deleteSchedule).toEqual({
    __typename: 'DeleteScheduleSuccess',
    deletedId: id,
  })
  expect((await api.ask(deleting, { id })).deleteSchedule).toEqual({ __typename: 'NotFoundError', id })
  expect((await api.ask('query($id: ID!) { node(id: $id) { id } }', { id })).node).toBeNull()
})

describe('the jobs of a schedule', () => {
  test('name it, are found by it, and the newest is its last', async () => {
    const { id } = await make()
    const other = await make()
    const range = { startDate: '2026-03-16', endDate: '2026-03-16', own: ['2026-03-16'] }
    await madeBy(id, range)
    const newest = await madeBy(id, range)
    await madeBy(other.id, range)
    const query = `query($id: ID!) { jobs(filter: { scheduleId: $id }) { totalCount nodes { id schedule { id } } }
      node(id: $id) { ... on Schedule { lastJob { id } } } }`
    const answer = await api.ask(query, { id })
    expect(answer.jobs.totalCount).toBe(2)
    expect(answer.jobs.nodes.map((job: { schedule: { id: string } }) => job.schedule.id)).toEqual([id, id])
    expect(answer.node.lastJob.id).toBe(idOf('ScrapingJob', newest.id))
    await api.ask(deleting, { id })
    const { job } = await api.ask('query($id: ID!) { job(id: $id) { schedule { id } } }', {
      id: idOf('ScrapingJob', newest.id),
    })
    expect(job.schedule).toBeNull()
  })

  test('show every date of their range, those that were final with the report that settled them', async () => {
    const { id } = await make()
    const startDate = '2026-05-04'
    const [settled, open] = [addDays(startDate, 1), addDays(startDate, 2)]
    const report = { scrapeUrlId: site.id, date: settled, proof: 'ID_LIST', final: true } as const
    const at = (day: number) => new Date(`2026-05-2${day}T00:00:00Z`)
    await api.db
      .insertInto('scrapeDays')
      .values([
        { ...report, outcome: 'COMPLETE', received: 4, saved: 4, created: 4, finishedAt: at(1) },
        { ...report, outcome: 'COMPLETE', received: 4, saved: 4, unchanged: 4, finishedAt: at(3) },
      ])
      .execute()
    const job = await madeBy(id, { startDate, endDate: open, own: [startDate, open] })
    const answer = await api.ask(
      `query($id: ID!) { job(id: $id) { progress { datesTotal } days { date outcome final created job { id } } } }`,
      { id: idOf('ScrapingJob', job.id) },
    )
    const pending = { outcome: 'PENDING', final: false, created: 0, job: { id: idOf('ScrapingJob', job.id) } }
    expect(answer.job).toEqual({
      progress: { datesTotal: 2 },
      days: [
        { date: startDate, ...pending },
        { date: settled, outcome: 'COMPLETE', final: true, created: 4, job: null },
        { date: open, ...pending },
      ],
    })
  })
})
