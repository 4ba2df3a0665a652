import { expect, test } from 'vitest'
import { mergeListings } from '../../../src/db/prospects/merge.ts'
import { rowValues } from '../../../src/db/prospects/plan.ts'
import { valueTypes } from '../../../src/db/prospects/values.ts'
import type { ProspectFields } from '../../../src/domain.ts'
import { sampleRow } from './sample.ts'

let age = 0
const listing = (change: Partial<ProspectFields>, firstSeenAt = new Date((age += 1))) => ({
  firstSeenAt,
  siteKey: `site-${age}`,
  sourceKey: '1',
  values: rowValues(sampleRow('1', change)),
})

test('one listing is its prospect, field by field', () => {
  const one = listing({ timeText: null, assessedValue: null, propertyAddress: null })
  expect(mergeListings([one])).toEqual(one.values)
  expect(Object.keys(mergeListings([one])).toSorted()).toEqual(Object.keys(valueTypes).toSorted())
})

test('the oldest sets the fields and the others fill its nulls, in whatever order they are given', () => {
  const oldest = listing({ city: 'JACKSONVILLE', plaintiff: null, attorney: null })
  const second = listing({ city: 'JAX', plaintiff: 'BANK OF HERONS', attorney: null, auctionId: null })
  const third = listing({ plaintiff: 'SOMEBODY ELSE', attorney: 'A. LAWYER' })
  for (const given of [
    [oldest, second, third],
    [third, second, oldest],
  ]) {
    expect(mergeListings(given)).toEqual({ ...oldest.values, plaintiff: 'BANK OF HERONS', attorney: 'A. LAWYER' })
  }
})

test('a sale comes whole from the listing that sets the status', () => {
  const waiting = listing({ auctionStatus: 'SCHEDULED' })
  const sold = listing({
    auctionStatus: 'SOLD',
    auctionStatusText: 'Auction Sold',
    saleAmount: '10.00',
    soldTo: '3rd Party Bidder',
    buyerType: 'THIRD_PARTY',
  })
  expect(mergeListings([waiting, sold])).toEqual(waiting.values)
  expect(mergeListings([sold, listing({ soldAt: '2026-03-05T15:00:00.000Z' })])).toEqual(sold.values)
})

test('a case number brings its own suffix and key, a value its label', () => {
  const bare = listing({ caseNumber: null, assessedValue: null, assessedValueLabel: 'Just Value:' })
  const full = listing({
    caseNumber: 'CV-26-1',
    caseSuffix: '(2)',
    assessedValue: '5.00',
    assessedValueLabel: 'Appraised:',
  })
  expect(mergeListings([bare, full])).toMatchObject({
    caseNumber: 'CV-26-1',
    caseSuffix: '(2)',
    caseKey: 'CV2612',
    assessedValue: '5.00',
    assessedValueLabel: 'Appraised:',
  })
})

test('a time is not taken from a listing that names another date', () => {
  const oldest = listing({ auctionDate: '2026-03-09', timeText: null, startsAt: null })
  const other = listing({ auctionDate: '2026-03-05' })
  const same = listing({ auctionDate: '2026-03-09', timeText: '9:00 AM ET', startsAt: '2026-03-09T13:00:00.000Z' })
  expect(mergeListings([oldest, other])).toMatchObject({ timeText: null, startsAt: null })
  expect(mergeListings([oldest, other, same])).toMatchObject({ startsAt: '2026-03-09T13:00:00.000Z' })
})
