import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeTokens, tokens } from '../../../../src/engine/sites/realauction/tokens.ts'
import { encodeTokens } from '../../../support/realauctionPages.ts'

test('each token becomes its markup', () => {
  expect(decodeTokens('<@I @Cad_tab"><tbody>@Htabindex="0" @CAD_LBL">Case #:@F @CAD_DTA">7@G</tbody></@I>@B')).toBe(
    '<table class="ad_tab"><tbody><tr><td tabindex="0" class="AD_LBL">Case #:</td><td class="AD_DTA">7</td></tr></tbody></table></div>',
  )
})

test('a price is not taken for a reference into the markup', () => {
  expect(decodeTokens('@A@E_ITEM">$139,493.42 $& $$ $`@B')).toBe('<div class="AUCTION_ITEM">$139,493.42 $& $$ $`</div>')
})

test('whatever markup was compressed comes back as it was', () => {
  const piece = fc.oneof(fc.constantFrom(...Object.values(tokens)), fc.string(), fc.constantFrom('$1', '$&', 'TABLE '))
  const html = fc.array(piece).map((pieces) => pieces.join('').replaceAll('@', ''))
  fc.assert(
    fc.property(html, (text) => {
      expect(decodeTokens(encodeTokens(text))).toBe(text)
    }),
  )
})

test.each(['@A@E_ITEM">7@M', '@Hclass@Qx">', 'FORECLOSURE@N@H', '</@Z>'])(
  'an unknown token fails loudly: %s',
  (html) => {
    expect(() => decodeTokens(html)).toThrow(expect.objectContaining({ code: 'TEMPLATE_CHANGED' }))
  },
)

test('an at sign in plain data is no token', () => {
  for (const text of ['LOT 4 @ MAIN', 'ask sales@Office.example today', 'https://maps.example/@28.5,-81']) {
    expect(decodeTokens(text)).toBe(text)
  }
})

test('a token inside an address of data is decoded as the site itself decodes it', () => {
  expect(decodeTokens('clerk@Bank.example')).toBe('clerk</div>ank.example')
})
