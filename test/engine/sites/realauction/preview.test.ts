import { expect, test } from 'vitest'
import { parsePreview } from '../../../../src/engine/sites/realauction/preview.ts'

const page = (list: string) => `<html><body><div id="Content_Title"><h1>Preview Items For Sale</h1></div>
  <input name="password"><div class="g-recaptcha"></div>
  <div class="AuctionNav_Main"><div class="BLHeaderDateDisplay" tabindex="0" >Tuesday July 7, 2026</div>
  <div class="BLHeaderPrev BLArrow"><a href="/index.cfm?zaction=AUCTION&zmethod=PREVIEW&AuctionDate=07/02/2026">&lt</a></div>
  <div class="BLHeaderNext BLArrow"><a href="/index.cfm?zaction=AUCTION&Zmethod=PREVIEW&AUCTIONDATE=07%2F09%2F2026">&gt</a></div>
  </div><div id="Area_W" arid="W"></div>${list}</body></html>`

test('a day page tells its date, its listings and its neighbours', () => {
  expect(parsePreview(page('<div id="ALB" style="display:none">31, 32,31,\n33</div>'))).toEqual({
    date: '2026-07-07',
    ids: ['31', '32', '33'],
    previous: '2026-07-02',
    next: '2026-07-09',
  })
})

test('an empty list is not a missing one', () => {
  expect(parsePreview(page('<div id="ALB"></div>')).ids).toEqual([])
  expect(parsePreview(page('')).ids).toBeNull()
})

test('a list of something else is a changed template', () => {
  expect(() => parsePreview(page('<div id="ALB">31,abc</div>'))).toThrow(
    expect.objectContaining({ code: 'TEMPLATE_CHANGED' }),
  )
})

test.each([
  ['TEMPLATE_CHANGED', '<html><h1>Welcome</h1></html>'],
  ['SITE_OFFLINE', '<html><div id="Content_Title"><h1>Offline</h1></div></html>'],
  ['BLOCKED', '<html><h1>Please solve this CAPTCHA</h1></html>'],
])('what is no day page is %s', (code, html) => {
  expect(() => parsePreview(html)).toThrow(expect.objectContaining({ code }))
})
