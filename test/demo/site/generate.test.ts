import { expect, it } from 'vitest'
import { type GenerateOptions, generateDay, generateDays } from '../../../src/demo/site/generate.ts'
import { money } from '../../../src/demo/site/listings.ts'

const options: GenerateOptions = { from: '2025-10-01', to: '2026-05-29', today: '2026-03-18', seed: 4 }
const days = generateDays(options)
const items = days.flatMap((day) => day.items)

it('the same arguments give the same days, another seed gives others', () => {
  expect(generateDays(options)).toEqual(days)
  expect(generateDays({ ...options, seed: 5 })).not.toEqual(days)
})

it('another range holds the same days', () => {
  const march = generateDays({ ...options, from: '2026-03-01', to: '2026-03-31' })
  expect(march.length).toBeGreaterThan(5)
  expect(march).toEqual(days.filter((day) => day.date.startsWith('2026-03')))
})

it('a later today shows the same listings further on', () => {
  const before = generateDay('2026-03-20', { today: '2026-03-10', perDay: 30 })
  const during = generateDay('2026-03-20', { today: '2026-03-20', perDay: 30 })
  const after = generateDay('2026-03-20', { today: '2026-03-21', perDay: 30 })
  const what = (day: typeof before) => day.items.map(({ aid, fields, template }) => ({ aid, fields, template }))
  expect(what(during)).toEqual(what(before))
  expect(what(after)).toEqual(what(before))
  expect(new Set(before.items.map((item) => item.area))).toEqual(new Set(['W', 'C']))
  expect(new Set(during.items.map((item) => item.area))).toEqual(new Set(['W', 'R', 'C']))
  expect(new Set(after.items.map((item) => item.area))).toEqual(new Set(['C']))
  const early = before.items.filter((item) => item.area === 'C')
  expect(after.items).toEqual(expect.arrayContaining(early))
})

it('weekends and some weekdays have no sale', () => {
  expect(days.length).toBeGreaterThan(60)
  expect(days.length).toBeLessThan(150)
  expect(days.filter((day) => [0, 6].includes(new Date(`${day.date}T00:00:00Z`).getUTCDay()))).toEqual([])
})

it('the number of items is as told', () => {
  expect(generateDay('2026-03-20', { today: '2026-03-18', perDay: 37 }).items).toHaveLength(37)
  const sizes = generateDays({ ...options, perDay: [2, 4] }).map((day) => day.items.length)
  expect(new Set(sizes)).toEqual(new Set([2, 3, 4]))
})

it('every listing has a number of its own', () => {
  expect(new Set(items.map((item) => item.aid)).size).toBe(items.length)
})

it('all templates occur, over the days and within one', () => {
  const templates = days.map((day) => new Set(day.items.map((item) => item.template)))
  expect(templates.some((set) => set.size === 3)).toBe(true)
  expect(new Set(items.map((item) => item.template))).toEqual(new Set(['td', 'th', 'div']))
})

it('sister parcels share a case, and differ in what is sold', () => {
  const sisters = days.flatMap((day) => {
    const byCase = Map.groupBy(day.items, (item) =>
      String(item.fields.find((f) => /Case #|Cause/.test(f.label))?.value),
    )
    return [...byCase.values()].filter((group) => group.length > 1)
  })
  expect(sisters.length).toBeGreaterThan(20)
  const different = sisters.filter((group) => new Set(group.map((item) => JSON.stringify(item.fields))).size > 1)
  expect(different.length).toBe(sisters.length)
})

it('the irregular values of the real sites occur', () => {
  const values = new Set(items.flatMap((item) => item.fields.map((field) => field.value)))
  for (const value of ['Hidden', '', '$0.00', 'Property Appraiser', 'TIMESHARE', 'NO SITUS'])
    expect(values).toContain(value)
  expect([...values].some((value) => /^\(\$[\d,]+\.\d\d\)$/.test(value))).toBe(true)
  const continuations = items.map((item) => item.fields.filter((field) => field.label === '').length)
  expect(new Set(continuations)).toEqual(new Set([0, 1, 2, 3]))
  const linked = items.flatMap((item) => item.fields).filter((field) => field.href)
  expect(new Set(linked.map((field) => field.label))).toEqual(
    new Set(['Case #:', 'Cause Number:', 'Parcel ID:', 'Alternate Key:', 'Parcel Key:']),
  )
})

it('past days end in every way that the status call can say', () => {
  const ends = new Set(
    items.filter((item) => item.area === 'C').map(({ status }) => `${status.A}|${status.SL}|${status.ST}`),
  )
  expect(ends).toContain('Auction Sold|Sold To|3rd Party Bidder')
  expect(ends).toContain('Auction Sold|Sold To|Plaintiff')
  expect(ends).toContain('Auction Sold|Sold To|Certificate Holder')
  expect(ends).toContain('Auction Sold|Unsold|')
  expect(ends).toContain('||')
  const reasons = new Set(items.filter((item) => item.status.A === 'B').map((item) => item.status.B))
  for (const reason of ['Redeemed', 'Canceled per Order', 'Rescheduled', 'Struck Off', 'WITHDRAWN – TAX DELINQUENT']) {
    expect(reasons).toContain(reason)
  }
})

it('amounts are printed as the site prints them', () => {
  expect([0, 5, 123456, -38435959, 212521055].map(money)).toEqual([
    '$0.00',
    '$0.05',
    '$1,234.56',
    '($384,359.59)',
    '$2,125,210.55',
  ])
})
