import { IANAZone } from 'luxon'
import { afterAll, expect, test } from 'vitest'
import { createTestDatabase } from './support/database.ts'

const database = await createTestDatabase()
const { db } = database
afterAll(() => database.drop())

async function county(state: string, name: string): Promise<{ fips: string; timezone: string } | undefined> {
  return db
    .selectFrom('counties')
    .select(['fips', 'timezone'])
    .where('stateCode', '=', state)
    .where('name', '=', name)
    .executeTakeFirst()
}

test('a fresh database knows the 50 states, the District of Columbia and 3,144 counties', async () => {
  const states = await db.selectFrom('states').selectAll().execute()
  expect(states).toHaveLength(51)
  expect(states).toContainEqual({ code: 'FL', name: 'Florida', fips: '12' })
  expect(states).toContainEqual({ code: 'DC', name: 'District of Columbia', fips: '11' })
  const counties = await db.selectFrom('counties').selectAll().execute()
  expect(counties).toHaveLength(3144)
})

test('a county code begins with the code of its state, and every state has as many counties as it has', async () => {
  const rows = await db
    .selectFrom('counties')
    .innerJoin('states', 'states.code', 'counties.stateCode')
    .select(['counties.fips', 'states.fips as stateFips', 'states.code'])
    .orderBy('counties.fips')
    .execute()
  expect(rows.filter((row) => !row.fips.startsWith(row.stateFips))).toEqual([])
  const perState = new Map<string, number>()
  for (const row of rows) perState.set(row.code, (perState.get(row.code) ?? 0) + 1)
  expect([...perState].map(([state, count]) => `${state} ${count}`).join(', ')).toBe(
    'AL 67, AK 30, AZ 15, AR 75, CA 58, CO 64, CT 9, DE 3, DC 1, FL 67, GA 159, HI 5, ID 44, IL 102, IN 92, IA 99, ' +
      'KS 105, KY 120, LA 64, ME 16, MD 24, MA 14, MI 83, MN 87, MS 82, MO 115, MT 56, NE 93, NV 17, NH 10, NJ 21, ' +
      'NM 33, NY 62, NC 100, ND 53, OH 88, OK 77, OR 36, PA 67, RI 5, SC 46, SD 66, TN 95, TX 254, UT 29, VT 14, ' +
      'VA 133, WA 39, WV 55, WI 72, WY 23',
  )
})

test.each([
  ['FL', 'Miami-Dade', '12086', 'America/New_York'],
  ['FL', 'Escambia', '12033', 'America/Chicago'],
  ['FL', 'Bay', '12005', 'America/Chicago'],
  ['FL', 'Leon', '12073', 'America/New_York'],
  ['FL', 'Gulf', '12045', 'America/New_York'],
  ['AZ', 'Apache', '04001', 'America/Phoenix'],
  ['AZ', 'Navajo', '04017', 'America/Phoenix'],
  ['VA', 'Richmond', '51159', 'America/New_York'],
  ['VA', 'Richmond city', '51760', 'America/New_York'],
  ['MD', 'Baltimore city', '24510', 'America/New_York'],
  ['MO', 'St. Louis', '29189', 'America/Chicago'],
  ['MO', 'St. Louis city', '29510', 'America/Chicago'],
  ['NM', 'Doña Ana', '35013', 'America/Denver'],
  ['SD', 'Oglala Lakota', '46102', 'America/Denver'],
  ['AK', 'Kusilvak', '02158', 'America/Anchorage'],
  ['AK', 'Chugach', '02063', 'America/Anchorage'],
  ['AK', 'Copper River', '02066', 'America/Anchorage'],
  ['HI', 'Honolulu', '15003', 'Pacific/Honolulu'],
  ['ID', 'Ada', '16001', 'America/Boise'],
  ['ID', 'Kootenai', '16055', 'America/Los_Angeles'],
  ['OR', 'Malheur', '41045', 'America/Boise'],
  ['IN', 'Marion', '18097', 'America/Indiana/Indianapolis'],
  ['IN', 'Lake', '18089', 'America/Chicago'],
  ['KY', 'Jefferson', '21111', 'America/New_York'],
  ['KY', 'Daviess', '21059', 'America/Chicago'],
  ['TN', 'Hamilton', '47065', 'America/New_York'],
  ['TN', 'Davidson', '47037', 'America/Chicago'],
  ['MI', 'Wayne', '26163', 'America/Detroit'],
  ['MI', 'Menominee', '26109', 'America/Chicago'],
  ['TX', 'El Paso', '48141', 'America/Denver'],
  ['TX', 'Hudspeth', '48229', 'America/Denver'],
  ['TX', 'Dallas', '48113', 'America/Chicago'],
  ['KS', 'Greeley', '20071', 'America/Denver'],
  ['NE', 'Cherry', '31031', 'America/Chicago'],
  ['OH', 'Cuyahoga', '39035', 'America/New_York'],
])('%s %s is %s in %s', async (state, name, fips, timezone) => {
  expect(await county(state, name)).toEqual({ fips, timezone })
})

test('Connecticut has its nine planning regions, and places that are no more are not there', async () => {
  const rows = await db.selectFrom('counties').select('name').where('stateCode', '=', 'CT').orderBy('fips').execute()
  expect(rows.map((row) => row.name)).toEqual([
    'Capitol',
    'Greater Bridgeport',
    'Lower Connecticut River Valley',
    'Naugatuck Valley',
    'Northeastern Connecticut',
    'Northwest Hills',
    'South Central Connecticut',
    'Southeastern Connecticut',
    'Western Connecticut',
  ])
  expect(await county('CT', 'Hartford')).toBeUndefined()
  expect(await county('AK', 'Valdez-Cordova')).toBeUndefined()
  expect(await county('VA', 'Bedford city')).toBeUndefined()
})

test('names stand without their kind, and are unique in their state without case', async () => {
  const rows = await db.selectFrom('counties').select(['stateCode', 'name']).execute()
  expect(rows.filter((row) => /\b(county|parish|borough|census area|municipality)$/i.test(row.name))).toEqual([])
  expect(rows.filter((row) => row.name !== row.name.trim().normalize('NFC'))).toEqual([])
  expect(new Set(rows.map((row) => `${row.stateCode} ${row.name.toLowerCase()}`)).size).toBe(rows.length)
  const cities = rows.filter((row) => row.name.endsWith(' city')).map((row) => `${row.stateCode} ${row.name}`)
  expect(cities.toSorted()).toEqual([
    'MD Baltimore city',
    'MO St. Louis city',
    'VA Fairfax city',
    'VA Franklin city',
    'VA Richmond city',
    'VA Roanoke city',
  ])
})

test('every time zone is one that Intl and luxon know', async () => {
  const rows = await db.selectFrom('counties').select('timezone').distinct().execute()
  expect(rows.length).toBeGreaterThan(5)
  for (const { timezone } of rows) {
    expect(IANAZone.isValidZone(timezone)).toBe(true)
    expect(() => new Intl.DateTimeFormat('en-US', { timeZone: timezone })).not.toThrow()
  }
})
