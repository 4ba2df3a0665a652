import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitCaseNumber } from '../../../src/engine/convert/cases.ts'
import { addressKey, caseKey, normaliseKey, parcelKey } from '../../../src/engine/convert/normalise.ts'

test('a key holds upper case letters and digits alone, and making it again changes nothing', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      const key = normaliseKey(text)
      expect(key ?? 'A').toMatch(/^[A-Z0-9]+$/)
      expect(normaliseKey(key)).toBe(key)
      expect(normaliseKey(` ${text.split('').join(' ')}-`)).toBe(key)
    }),
  )
})

test.each([
  ['2026 CV 01948 (0)', 'OH', '2026 CV 01948', '0', '2026CV019480'],
  ['2026-30042 (12)', 'PA', '2026-30042', '12', '20263004212'],
  ['TX-26-01693 (8)', 'TX', 'TX-26-01693', '8', 'TX26016938'],
  ['2026-30042 (12)', 'FL', '2026-30042 (12)', null, '20263004212'],
  ['TD 2026-024', 'OH', 'TD 2026-024', null, 'TD2026024'],
  ['2026-1(2)', 'OH', '2026-1(2)', null, '202612'],
])('the case %s of %s', (text, state, caseNumber, caseSuffix, key) => {
  expect(splitCaseNumber(text, state)).toEqual({ caseNumber, caseSuffix })
  expect(caseKey({ caseNumber, caseSuffix })).toBe(key)
})

test('no case number, no key', () => {
  expect(caseKey({ caseNumber: null, caseSuffix: null })).toBeNull()
})

test.each([
  '',
  '0',
  '000-00',
  'Property Appraiser',
  'MULTIPLE',
  'MULTIPLE PARCELS',
  'MULTPLE',
  'MULTIPLE PARCELS (3)',
  'TIME SHARE',
  'TIMESHARE UNIT 12',
  'CONFIDENTIAL',
  'LEIN SALE',
  'CONFIDENTIAL 119.071',
  'SEE FINAL JUDGMENT 7',
  null,
])('the parcel %j matches no other', (parcel) => {
  expect(parcelKey(parcel)).toBeNull()
})

test('a parcel number matches however it is spaced', () => {
  expect(parcelKey('02684-000-000')).toBe('02684000000')
  expect(parcelKey('k46 00606 0028, K46 00606 0029')).toBe('K46006060028K46006060029')
  expect(parcelKey('00190947')).toBe('00190947')
})

test('an address matches with its unit', () => {
  const key = (propertyAddress: string | null) => addressKey({ propertyAddress })
  expect(key('14 Heron Landing Ct., Unit 7')).toBe('14HERONLANDINGCTUNIT7')
  expect(key('14 HERON LANDING CT UNIT 7')).toBe('14HERONLANDINGCTUNIT7')
  expect(key('14 HERON LANDING CT')).not.toBe(key('14 HERON LANDING CT, UNIT 7'))
  expect(key('9256 5TH AVE')).toBe('92565THAVE')
  expect(key('N6W23001 BLUE LN')).toBe('N6W23001BLUELN')
})

test.each([
  'NO SITUS',
  'NO SITUS, UNIT 7',
  'UNASSIGNED LOCATION RE',
  '0 MAIN ST',
  'SHADY LN',
  '5TH AVE',
  'HWY 73',
  'DEFIANCE SPRINGS, FL- 32999',
  '',
  null,
])('the address %j names no single place', (propertyAddress) => {
  expect(addressKey({ propertyAddress })).toBeNull()
})
