import { expect, test } from 'vitest'
import { parseStatus } from '../../../../src/engine/sites/realauction/status.ts'

const sold = {
  AID: '8',
  A: 'Auction Sold',
  B: '05/01/2026 11:23 AM ET',
  C: 'Amount',
  D: '$5.00',
  SL: 'Sold To',
  ST: 'Plaintiff ',
}

test('statuses come by auction id, folded, with the pages of the closed area', () => {
  const body = `\n\t ${JSON.stringify({ NC: 15, CM: '3', ADATA: { AITEM: [sold, { AID: 9, A: 'B', B: 'Redeemed&nbsp;' }], COUNT: '2' } })}\n`
  const answer = parseStatus(body)
  expect(answer.pagesClosed).toBe(3)
  expect([...answer.items]).toEqual([
    ['8', { A: 'Auction Sold', B: '05/01/2026 11:23 AM ET', C: 'Amount', D: '$5.00', SL: 'Sold To', ST: 'Plaintiff' }],
    ['9', { A: 'B', B: 'Redeemed', C: '', D: '', SL: '', ST: '' }],
  ])
})

test('a single listing may come without a list', () => {
  expect([...parseStatus(JSON.stringify({ ADATA: { AITEM: sold, COUNT: 1 }, CM: 1 })).items.keys()]).toEqual(['8'])
})

test('a past day may answer nothing', () => {
  expect(parseStatus('{"ADATA":{"AITEM":[],"COUNT":0},"NC":15}')).toEqual({ items: new Map(), pagesClosed: null })
  expect(parseStatus('{"ADATA":{}}').items.size).toBe(0)
})

test.each(['[]', '{}', '{"ADATA":{"AITEM":[{"A":"B"}]}}', '{"retHTML":"","rlist":""}', 'soon'])(
  'what is no status answer is a changed template: %s',
  (body) => {
    expect(() => parseStatus(body)).toThrow(expect.objectContaining({ code: 'TEMPLATE_CHANGED' }))
  },
)
