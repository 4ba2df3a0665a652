import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import type { ReadOutcome } from '../../src/domain.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { sampleRow } from './prospects/sample.ts'
import { figures, newCase, visit } from './prospects/visit.ts'

let database: TestDatabase
let db: Database

beforeAll(async () => {
  database = await createTestDatabase()
  db = database.db
})
afterAll(() => database.drop())

describe('a day is final', () => {
  const sold = { auctionStatus: 'SOLD', saleAmount: '10.00' } as const

  test.each<[string, Parameters<typeof sampleRow>[1], ReadOutcome, string, boolean]>([
    ['once it is past and nothing of it is open', sold, 'COMPLETE', '2026-03-06', true],
    ['not on the day itself', sold, 'COMPLETE', '2026-03-05', false],
    ['not while a listing is open', {}, 'COMPLETE', '2026-03-18', false],
    ['not while it is unknown how one ended', { auctionStatus: 'UNKNOWN' }, 'COMPLETE', '2026-03-18', false],
    ['when 14 days have gone by', {}, 'COMPLETE', '2026-03-19', true],
    ['never without proof', sold, 'INCOMPLETE', '2026-03-30', false],
  ])('%s', async (_, change, outcome, today, final) => {
    const { read } = await visit(db)
    const saved = await read([sampleRow('1', { caseNumber: newCase(), ...change })], {
      figures: figures(outcome),
      today,
    })
    expect(saved.final).toBe(final)
  })
})
