import type { Decimal } from '../../domain.ts'
import { isUntold, ValueError } from './values.ts'

/**
 * An amount in US dollars with two decimals: `$1,234.56`, and negative as accountants write it, `($384,359.59)`.
 * null for blank, `Hidden`, TBD and any other text without a digit.
 *
 * Throws ValueError for text with digits that is no amount, for fractions of a cent and for more than 12 digits before
 * the point (numeric(14, 2)).
 */
export function parseMoney(text: string): Decimal | null {
  if (isUntold(text) || !/\d/.test(text)) return null
  // A site may put a space after a comma (`$671, 471.41`) and an asterisk for a footnote behind the amount.
  const compact = text.replace(/\s+/g, '').replace(/\*+$/, '')
  const found = amount.exec(compact)
  if (found?.groups === undefined) throw new ValueError(`not an amount: ${text}`)
  const { open, close, sign, sign2, whole = '', fraction = '' } = found.groups
  if (Boolean(open) !== Boolean(close)) throw new ValueError(`not an amount: ${text}`)
  if (!/^0*$/.test(fraction.slice(2))) throw new ValueError(`an amount with fractions of a cent: ${text}`)
  const dollars = whole.replaceAll(',', '').replace(/^0+(?=\d)/, '') || '0'
  if (dollars.length > 12) throw new ValueError(`an amount of more than 12 digits: ${text}`)
  const value = `${dollars}.${fraction.slice(0, 2).padEnd(2, '0')}`
  return (open || sign || sign2) && value !== '0.00' ? `-${value}` : value
}

const amount =
  /^(?<open>\()?(?<sign>-)?\$?(?<sign2>-)?(?<whole>\d{1,3}(?:,\d{3})+|\d+|(?=\.\d))(?:\.(?<fraction>\d*))?(?<close>\))?$/
