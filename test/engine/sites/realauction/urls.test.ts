import { expect, test } from 'vitest'
import { calendarUrl, loadUrl, previewUrl, siteKey, statusUrl } from '../../../../src/engine/sites/realauction/urls.ts'

const site = new URL('https://www.Ormiston.realforeclose.example/index.cfm?zaction=HOME')

test('a tenant is its host without www, with a port that is not the usual one', () => {
  expect(siteKey(site)).toBe('ormiston.realforeclose.example')
  expect(siteKey(new URL('http://ormiston.realforeclose.example:80/'))).toBe('ormiston.realforeclose.example')
  expect(siteKey(new URL('http://127.0.0.1:4010/x'))).toBe('127.0.0.1:4010')
})

test('the four requests are the ones the site makes itself', () => {
  const origin = 'https://www.ormiston.realforeclose.example'
  expect(calendarUrl(site, '2026-08').href).toBe(
    `${origin}/index.cfm?zaction=USER&zmethod=CALENDAR&selCalDate=%7Bts%20%272026-08-01%2000%3A00%3A00%27%7D`,
  )
  expect(previewUrl(site, '2026-08-05').href).toBe(
    `${origin}/index.cfm?zaction=AUCTION&Zmethod=PREVIEW&AUCTIONDATE=08/05/2026`,
  )
  expect(loadUrl(site, 'C', 2, 1700).href).toBe(
    `${origin}/index.cfm?zaction=AUCTION&Zmethod=UPDATE&FNC=LOAD&AREA=C&PageDir=0&doR=1&tx=1700&bypassPage=2&test=1`,
  )
  expect(statusUrl(site, ['4', '5'], 1700).href).toBe(
    `${origin}/index.cfm?zaction=AUCTION&ZMETHOD=UPDATE&FNC=UPDATE&ref=4,5&tx=1700`,
  )
})
