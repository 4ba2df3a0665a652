import { expect, test } from 'vitest'
import { planActions } from './plan.ts'

test('the same seed deals the same blows, another one others', () => {
  const plan = planActions({ seed: 5, durationMs: 60_000 })
  expect(planActions({ seed: 5, durationMs: 60_000 })).toEqual(plan)
  expect(planActions({ seed: 6, durationMs: 60_000 })).not.toEqual(plan)
})

test('blows fall in order and within their time, and a longer run begins with the same', () => {
  const plan = planActions({ seed: 5, durationMs: 60_000 })
  const times = plan.map(({ atMs }) => atMs)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times.at(-1)).toBeLessThan(60_000)
  const longer = planActions({ seed: 5, durationMs: 120_000 }).slice(0, plan.length)
  expect(longer.map(({ action }) => action.kind)).toEqual(plan.map(({ action }) => action.kind))
})

test.each([12_000, 60_000])('a run of %i ms holds nearly every kind of blow', (durationMs) => {
  const kinds = new Set(planActions({ seed: 5, durationMs }).map(({ action }) => action.kind))
  expect(kinds.size).toBeGreaterThanOrEqual(12)
})
