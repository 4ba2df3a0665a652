import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRate } from '../../src/server/rate.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a burst passes at once; then as much as flows in, and the wait is told in whole seconds', () => {
  const take = createRate({ perSecond: 0.5, burst: 3 })
  expect([take('a'), take('a'), take('a'), take('a')]).toEqual([null, null, null, 2])
  vi.advanceTimersByTime(1_000)
  expect(take('a')).toBe(1)
  vi.advanceTimersByTime(1_000)
  expect([take('a'), take('a')]).toEqual([null, 2])
})

test('each name has its own', () => {
  const take = createRate({ perSecond: 1, burst: 1 })
  expect([take('a'), take('b'), take('a'), take('__proto__')]).toEqual([null, null, 1, null])
})

test('whoever pauses may burst again, and never more than that', () => {
  const take = createRate({ perSecond: 10, burst: 2 })
  take('a')
  take('a')
  vi.advanceTimersByTime(60_000)
  expect([take('a'), take('a'), take('a')]).toEqual([null, null, 1])
})

test('those who are refused are not forgotten before they have paused', () => {
  const take = createRate({ perSecond: 0.01, burst: 1 })
  take('a')
  vi.advanceTimersByTime(11_000)
  take('b')
  expect(take('a')).toBe(89)
})
