import { expect, test } from 'vitest'
import { parseAddress, parseCityLine } from '../../../src/engine/convert/address.ts'

test.each([
  ['ORMISTON, FL- 32999', 'ORMISTON', 'FL', '32999'],
  ['HOLLOWAY, 34999', 'HOLLOWAY', null, '34999'],
  ['DUNMORE , 45999', 'DUNMORE', null, '45999'],
  ['CLEARFORK , 449990000', 'CLEARFORK', null, '44999'],
  ['CLEARFORK , 449991234', 'CLEARFORK', null, '44999-1234'],
  ['BAYNTON BEACH, FL- 33999-7540', 'BAYNTON BEACH', 'FL', '33999-7540'],
  ['DELLAS, TX 75999-5234', 'DELLAS', 'TX', '75999-5234'],
  ['PLUM HARBOR 34999-1307', 'PLUM HARBOR', null, '34999-1307'],
  ['PORT RIDLEY FL 34999', 'PORT RIDLEY', 'FL', '34999'],
  ['TAMBA33999', 'TAMBA', null, '33999'],
  ['OPAL-LOCKE, FL- 33999', 'OPAL-LOCKE', 'FL', '33999'],
  ['ST. ALBANS, FL- 33999', 'ST. ALBANS', 'FL', '33999'],
  ['Merianna, fl- 32999', 'Merianna', 'FL', '32999'],
  ['COUNTY, FL- 32999', 'COUNTY', 'FL', '32999'],
  [', FL- 32999', null, 'FL', '32999'],
  ['FL- 32999', null, 'FL', '32999'],
  ['HOLLOWAY, 1317', 'HOLLOWAY', null, null],
  ['ORMISTON, FL- 334001', 'ORMISTON', 'FL', null],
  ['ORMISTON, FL- 00000', 'ORMISTON', 'FL', null],
  ['ORMISTON, FL-', 'ORMISTON', 'FL', null],
])('%s is a city line', (line, city, stateCode, zip) => {
  expect(parseCityLine(line)).toEqual({ city, stateCode, zip })
})

test.each([
  'TAX DIST 001',
  '(UNINCORPORATED)',
  'UNIT 33185',
  'UNIT B, 33185',
  '803 ORANGE GROVE DRIVE',
  'HIGHWAY 10405',
  'ORMISTON',
  'ORMISTON, XX- 32999',
  '',
])('%j is none', (line) => {
  expect(parseCityLine(line)).toBeNull()
})

const nothing = { propertyAddress: null, city: null, stateCode: null, zip: null }

test('the line that ends in a zip is the city, all others are the address (6.6)', () => {
  expect(parseAddress(['14 HERON LANDING CT', 'ORMISTON, FL- 32999'])).toEqual({
    propertyAddress: '14 HERON LANDING CT',
    city: 'ORMISTON',
    stateCode: 'FL',
    zip: '32999',
  })
  expect(parseAddress(['PARCEL A', '803 ORANGE GROVE DRIVE', 'UNIT 7', 'ORMISTON, FL- 32999'])).toEqual({
    propertyAddress: 'PARCEL A, 803 ORANGE GROVE DRIVE, UNIT 7',
    city: 'ORMISTON',
    stateCode: 'FL',
    zip: '32999',
  })
  expect(parseAddress(['14 HERON CT', 'ORMISTON, FL- 32999', 'UNIT 7'])).toMatchObject({
    propertyAddress: '14 HERON CT, UNIT 7',
    city: 'ORMISTON',
  })
})

test('lines without a zip join the address', () => {
  expect(parseAddress(['14 HERON CT', 'TAX DIST 001'])).toEqual({
    ...nothing,
    propertyAddress: '14 HERON CT, TAX DIST 001',
  })
  expect(parseAddress(['14 HERON CT', '(UNINCORPORATED)']).propertyAddress).toBe('14 HERON CT, (UNINCORPORATED)')
})

test('stray backticks go', () => {
  expect(parseAddress(['7790 SW 127 ST', 'PINEFIELD , FL- 33999`'])).toEqual({
    propertyAddress: '7790 SW 127 ST',
    city: 'PINEFIELD',
    stateCode: 'FL',
    zip: '33999',
  })
  expect(parseAddress(['7790 SW 127 ST', 'PINEFIELD``']).propertyAddress).toBe('7790 SW 127 ST, PINEFIELD')
})

test('a city line or a glued zip in the first line is read, and stays the address', () => {
  expect(parseAddress(['DEFIANCE SPRINGS, FL- 32999'])).toEqual({
    propertyAddress: 'DEFIANCE SPRINGS, FL- 32999',
    city: 'DEFIANCE SPRINGS',
    stateCode: 'FL',
    zip: '32999',
  })
  expect(parseAddress(['10509 CEDAR BROOK DR 32999'])).toEqual({
    ...nothing,
    propertyAddress: '10509 CEDAR BROOK DR 32999',
    zip: '32999',
  })
  expect(parseAddress(['120 COUNTY HWY 10405']).zip).toBeNull()
})

test('an address row without text leaves only the city', () => {
  expect(parseAddress(['', 'ORMISTON, FL- 32999'])).toEqual({
    propertyAddress: null,
    city: 'ORMISTON',
    stateCode: 'FL',
    zip: '32999',
  })
  expect(parseAddress([''])).toEqual(nothing)
})

test.each(['NO SITUS', 'UNASSIGNED LOCATION RE', 'N/A', '0 MAIN ST', 'SHADY LN', 'PROPERTY LOCATION IS NOT AVAIL'])(
  'what a site prints instead of an address stays: %s',
  (text) => {
    expect(parseAddress([text])).toEqual({ ...nothing, propertyAddress: text })
  },
)
