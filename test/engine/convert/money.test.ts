import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseMoney } from '../../../src/engine/convert/money.ts'
import { ValueError } from '../../../src/engine/convert/values.ts'

test.each([
  ['$1,234.56', '1234.56'],
  ['($384,359.59)', '-384359.59'],
  ['-$12.00', '-12.00'],
  ['$-12.00', '-12.00'],
  ['($0.00)', '0.00'],
  ['$0.00', '0.00'],
  ['$100', '100.00'],
  ['1234.5', '1234.50'],
  ['$.75', '0.75'],
  ['$2,125,210.55', '2125210.55'],
  ['$671, 471.41', '671471.41'],
  ['$767.06*', '767.06'],
  ['$999,999,999,999.99', '999999999999.99'],
  ['0012.00', '12.00'],
  ['12.3400', '12.34'],
])('%s is %s', (text, value) => {
  expect(parseMoney(text)).toBe(value)
})

test.each(['', ' ', 'Hidden', 'HIDDEN', 'TBD', '$TBD', 'Pending', 'N/A', '-'])(
  '%j is no amount, not zero (6.8)',
  (text) => {
    expect(parseMoney(text)).toBeNull()
  },
)

test.each([
  '$12.3.4',
  '$1,23,456.00',
  '$1,2345.00',
  '($5.00',
  '$5.00)',
  '12 + 5',
  '2024-477',
  '$1.2345',
  '$1,000,000,000,000.00',
  '1e9',
])('%s looks like an amount and is none', (text) => {
  expect(() => parseMoney(text)).toThrow(ValueError)
})

test('every amount of cents comes back exactly, in every way it is printed', () => {
  const cents = fc.bigInt({ min: -99_999_999_999_999n, max: 99_999_999_999_999n })
  fc.assert(
    fc.property(cents, fc.boolean(), fc.boolean(), (amount, grouped, brackets) => {
      const digits = `${amount < 0n ? -amount : amount}`.padStart(3, '0')
      const [whole, fraction] = [digits.slice(0, -2), digits.slice(-2)]
      const printed = `$${grouped ? whole.replace(/\B(?=(\d{3})+$)/g, ',') : whole}.${fraction}`
      const signed = amount >= 0n ? printed : brackets ? `(${printed})` : `-${printed}`
      expect(parseMoney(signed)).toBe(`${amount < 0n ? '-' : ''}${whole}.${fraction}`)
    }),
  )
})

test('whatever the text, the answer is an exact decimal, null or a ValueError', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[($-]{0,2}[\d,. ]{0,20}\)?$/))
  fc.assert(
    fc.property(text, (value) => {
      try {
        expect(parseMoney(value) ?? '0.00').toMatch(/^-?\d{1,12}\.\d\d$/)
      } catch (error) {
        if (!(error instanceof ValueError)) throw error
      }
    }),
  )
})
