import { expect, test } from 'vitest'
import type { RawData, RawStatus } from '../../../src/domain.ts'
import { readOutcome, type StatusContext } from '../../../src/engine/convert/status.ts'

const block = (A: string, B = '', D = '', SL = '', ST = ''): RawStatus => ({
  A,
  B,
  C: D === '' ? '' : 'Amount',
  D,
  SL,
  ST,
})
const context: StatusContext = {
  statusText: null,
  auctionDate: '2026-05-01',
  today: '2026-05-01',
  timezone: 'America/New_York',
}
const read = (status: RawStatus | null, area: RawData['area'] = 'C', more: Partial<StatusContext> = {}) =>
  readOutcome({ status, area }, { ...context, ...more })
const statusOf = (...args: Parameters<typeof read>) => read(...args).auctionStatus

test('a sale has its amount, its moment and its buyer', () => {
  expect(read(block('Auction Sold', '05/01/2026 11:23 AM ET', '$124,700.00', 'Sold To', '3rd Party Bidder'))).toEqual({
    auctionStatus: 'SOLD',
    auctionStatusText: 'Auction Sold',
    saleAmount: '124700.00',
    soldAt: '2026-05-01T15:23:00.000Z',
    soldTo: '3rd Party Bidder',
    buyerType: 'THIRD_PARTY',
  })
})

test.each([
  ['3rd Party Bidder', 'THIRD_PARTY'],
  ['Plaintiff ', 'PLAINTIFF'],
  ['Cert Holder', 'CERTIFICATE_HOLDER'],
  ['Certificate Holder', 'CERTIFICATE_HOLDER'],
  ['The County', 'OTHER'],
  ['', null],
])('the buyer %j is %s', (buyer, type) => {
  const outcome = read(block('Auction Sold', '', '$1.00', 'Sold To', buyer))
  expect(outcome).toMatchObject({ auctionStatus: 'SOLD', buyerType: type, soldTo: buyer.trim() || null, soldAt: null })
})

test('a sale that was none is unsold, whatever its label and amount say', () => {
  const unsold = read(block('Auction Sold', '05/01/2026 11:23 AM ET', '$76,667.00', 'Unsold'))
  expect(unsold).toEqual({
    auctionStatus: 'UNSOLD',
    auctionStatusText: 'Unsold',
    saleAmount: null,
    soldAt: null,
    soldTo: null,
    buyerType: null,
  })
  expect(statusOf(block('Auction Sold', '', '$5.00', 'Sold To', 'Struck Off to County'))).toBe('UNSOLD')
})

test('no amount, no sale (6.5)', () => {
  for (const amount of ['', 'Hidden', '$12.3.4']) {
    const outcome = read(block('Auction Sold', '05/01/2026 11:23 AM ET', amount, 'Sold To', 'Plaintiff'))
    expect(outcome).toMatchObject({ auctionStatus: 'UNKNOWN', auctionStatusText: 'Auction Sold', saleAmount: null })
  }
})

test.each([
  ['Redeemed', 'REDEEMED'],
  ['Redeemed After Sale', 'REDEEMED'],
  ['Canceled per County', 'CANCELLED'],
  ['Canceled per Bankruptcy', 'CANCELLED'],
  ['CANCELLED BANKRUPTCY CH 13', 'CANCELLED'],
  ['Canceled, to be rescheduled', 'CANCELLED'],
  ['WITHDRAWN – TAX DELINQUENT', 'CANCELLED'],
  ['Cancelled/Settled', 'CANCELLED'],
  ['Settled', 'CANCELLED'],
  ['Auction to be rescheduled', 'POSTPONED'],
  ['Rescheduled', 'POSTPONED'],
  ['POSTPONED BY ATTORNEY', 'POSTPONED'],
  ['Adjourned - Plaintiff', 'POSTPONED'],
  ['Defendant Adjourned to', 'POSTPONED'],
  ['Pending Bankruptcy', 'POSTPONED'],
  ['Indefinite Bankruptcy', 'POSTPONED'],
  ['Bidder Walked Away', 'UNSOLD'],
  ['Struck Off', 'UNSOLD'],
  ['No Bids', 'UNSOLD'],
  ['Unsold', 'UNSOLD'],
  ['Auction Sold', 'UNKNOWN'],
  ['Purchased', 'UNKNOWN'],
  ['Not redeemed', 'UNKNOWN'],
  ['Other', 'UNKNOWN'],
  ['Bankruptcy', 'UNKNOWN'],
])('the reason %s is %s, and its words are kept', (reason, status) => {
  for (const label of ['B', 'Auction Status', '']) {
    expect(read(block(label, reason))).toMatchObject({ auctionStatus: status, auctionStatusText: reason })
  }
  expect(statusOf(block('Some other label', reason))).toBe(status)
})

test('words win over the area', () => {
  expect(statusOf(block('B', 'Redeemed'), 'W')).toBe('REDEEMED')
  expect(statusOf(block('Auction Status', 'Canceled per Order'), 'R')).toBe('CANCELLED')
})

test('a start time is never a sale (6.5)', () => {
  for (const label of ['A', 'Auction Starts']) {
    const starts = block(label, '05/01/2026 10:00 AM ET')
    expect(read(starts, 'W')).toMatchObject({
      auctionStatus: 'SCHEDULED',
      auctionStatusText: 'Auction Starts',
      soldAt: null,
    })
    expect(statusOf(starts, 'R')).toBe('RUNNING')
    expect(statusOf(starts, null)).toBe('SCHEDULED')
    expect(statusOf(starts, 'C')).toBe('UNKNOWN')
  }
})

test('without words the area decides (6.4: cancelled is not upcoming)', () => {
  for (const empty of [null, block('')]) {
    expect(read(empty, 'W')).toMatchObject({ auctionStatus: 'SCHEDULED', auctionStatusText: null })
    expect(statusOf(empty, 'R')).toBe('RUNNING')
    expect(statusOf(empty, null)).toBe('UNKNOWN')
    expect(statusOf(empty, 'C', { today: '2026-04-30' })).toBe('CANCELLED')
    expect(statusOf(empty, 'C', { today: '2026-05-01' })).toBe('UNKNOWN')
    expect(statusOf(empty, 'C', { today: '2026-05-02' })).toBe('UNKNOWN')
    expect(statusOf(empty, 'C', { auctionDate: null })).toBe('UNKNOWN')
  }
})

test('a status label serves where there is no status block', () => {
  expect(read(null, null, { statusText: 'Purchased' })).toMatchObject({
    auctionStatus: 'SOLD',
    auctionStatusText: 'Purchased',
  })
  expect(read(null, null, { statusText: 'Scheduled' }).auctionStatus).toBe('SCHEDULED')
  expect(read(null, null, { statusText: 'Sold' }).auctionStatus).toBe('UNKNOWN')
})
