import { expect, test } from 'vitest'
import { retryAfterSeconds } from '../../../src/engine/fetch/retryAfter.ts'

const now = Date.parse('2026-03-05T14:00:00.000Z')

test.each([
  ['120', 120],
  [' 0 ', 0],
  ['Thu, 05 Mar 2026 14:00:30 GMT', 30],
  ['Thu, 05 Mar 2026 13:00:00 GMT', 0],
  ['Thursday, 05-Mar-26 14:01:00 GMT', 60],
  ['-5', null],
  ['1.5', null],
  ['99999999999', null],
  ['soon', null],
  ['Thu, never', null],
  ['', null],
  [null, null],
])('%j asks for %j seconds', (header, seconds) => {
  expect(retryAfterSeconds(header, now)).toBe(seconds)
})
