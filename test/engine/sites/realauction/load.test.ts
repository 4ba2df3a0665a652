import { expect, test } from 'vitest'
import { parseLoad } from '../../../../src/engine/sites/realauction/load.ts'
import { foreclosure, itemHtml, loadBody } from '../../../support/realauctionPages.ts'

const throwing = (code: string) => expect.objectContaining({ code })

test('a padded answer gives its listings and its list of ids', () => {
  const answer = parseLoad(loadBody([itemHtml('11', foreclosure), itemHtml('12', foreclosure)], ['11', '12']))
  expect(answer.ids).toEqual(['11', '12'])
  expect(answer.items.map((item) => [item.auctionId, item.fields.length])).toEqual([
    ['11', 8],
    ['12', 8],
  ])
  expect(answer.empty).toBe(false)
})

test('an empty answer says that it is empty, and no more', () => {
  expect(parseLoad('\n \t{"retHTML":"", "rlist":""}\n\n')).toEqual({ items: [], ids: [], empty: true })
})

test('amounts keep their digits through the whole answer (6.8)', () => {
  const answer = parseLoad(loadBody([itemHtml('11', foreclosure)], ['11']))
  expect(answer.items[0]?.fields.map((field) => field.value)).toContain('$139,493.42')
})

test.each([
  ['is not JSON', '<html><body>nothing here</body></html>'],
  ['is cut off', '{"retHTML":"@A@E_ITEM'],
  ['is empty', ''],
  ['is JSON of another kind', '{"ADATA":{"AITEM":[]}}'],
  ['lists an id that the markup lacks', loadBody([itemHtml('1', foreclosure)], ['1', '2'])],
  ['shows a listing that its list lacks', loadBody([itemHtml('1', foreclosure), itemHtml('2', foreclosure)], ['1'])],
  ['holds an unknown token', JSON.stringify({ retHTML: '@A@E_ITEM"@X aid="1">@B', rlist: '1' })],
  ['lists ids without any markup', '{"retHTML":"","rlist":"5,6"}'],
])('an answer that %s is a changed template', (_, body) => {
  expect(() => parseLoad(body)).toThrow(throwing('TEMPLATE_CHANGED'))
})

test('listings of which none shows a case number are a changed template, never empty rows (6.2)', () => {
  const unread = itemHtml('1', foreclosure)
    .replaceAll('AD_LBL', 'K1')
    .replaceAll('AD_DTA', 'V1')
    .replaceAll('td', 'span')
  expect(() => parseLoad(loadBody([unread], ['1']))).toThrow(throwing('TEMPLATE_CHANGED'))
})

test('one listing without a case number among others is left to conversion', () => {
  const answer = parseLoad(loadBody([itemHtml('1', [['Parcel ID:', '3']]), itemHtml('2', foreclosure)], ['1', '2']))
  expect(answer.items).toHaveLength(2)
})

test('a Texas cause number counts as a case number', () => {
  expect(parseLoad(loadBody([itemHtml('1', [['Cause Number:', 'TX-26-1 (3)']])], ['1'])).items).toHaveLength(1)
})

test('the maintenance page is an offline site', () => {
  const page = '<html><div id="Content_Title"><h1> OFFLINE </h1></div></html>'
  expect(() => parseLoad(page)).toThrow(throwing('SITE_OFFLINE'))
})

test.each([
  '<html><title>Access Denied</title><h1>Access Denied</h1></html>',
  '<html><title>Just a moment...</title><script src="/cdn-cgi/challenge-platform/x.js"></script></html>',
  '<html><head><title>403 Forbidden</title></head></html>',
  '<html><div class="g-recaptcha" data-sitekey="x"></div></html>',
])('a refusal is a blocked request: %s', (page) => {
  expect(() => parseLoad(page)).toThrow(throwing('BLOCKED'))
})
