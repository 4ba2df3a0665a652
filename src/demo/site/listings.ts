import type { RawField } from '../../domain.ts'
import type { Random } from './random.ts'
import type { ItemTemplate } from './types.ts'
import { streets, type Town, towns, withoutAddress, withoutParcel } from './words.ts'

/** Which labels a listing carries, and in which order: they differ between states, kinds of sale and counties. */
export type LabelSet =
  | 'FL_FORECLOSURE'
  | 'FL_FORECLOSURE_MARKET_VALUE'
  | 'FL_FORECLOSURE_PUBLICATION'
  | 'FL_TAX_DEED'
  | 'FL_TAX_DEED_KEY'
  | 'OH_SHERIFF'
  | 'PA_SHERIFF'
  | 'TX_TAX_SALE'

/** What the parcels of one case share. */
export interface Case {
  number: string
  href?: string
  /** In cents. */
  judgment: number
}

/** The template in which the counties with these labels print them. */
export const usualTemplate: Readonly<Record<LabelSet, ItemTemplate>> = {
  FL_FORECLOSURE: 'td',
  FL_FORECLOSURE_MARKET_VALUE: 'td',
  FL_FORECLOSURE_PUBLICATION: 'div',
  FL_TAX_DEED: 'td',
  FL_TAX_DEED_KEY: 'td',
  OH_SHERIFF: 'th',
  PA_SHERIFF: 'th',
  TX_TAX_SALE: 'th',
}

export function inventCase(set: LabelSet, random: Random): Case {
  const number = caseNumbers[set](random)
  const judgment = inventJudgment(random)
  if (random.chance(0.25)) return { number, judgment }
  return {
    number,
    judgment,
    href: `https://docket.palmetto-clerk.example/tablet/case?book=${random.digits(5)}&Page=${random.digits(4)}`,
  }
}

/** The fields of one parcel of a case, as a page should be read. */
export function listingFields(set: LabelSet, sold: Case, random: Random): RawField[] {
  return labelSets[set](sold, random)
}

/** Cents as the site prints them: `$1,234.56`, below zero `($1,234.56)`. */
export function money(cents: number): string {
  const [whole = '', rest] = (Math.abs(cents) / 100).toFixed(2).split('.')
  const amount = `$${whole.replaceAll(/\B(?=(\d{3})+$)/g, ',')}.${rest}`
  return cents < 0 ? `(${amount})` : amount
}

const year = (random: Random): string => random.pick(['2023', '2024', '2025', '2026'])

const floridaCase = (random: Random): string =>
  random.pick([
    () => `68-${year(random)}-CA-${random.digits(6)}-AXXX`,
    () => `${year(random)}-${random.digits(6)}-CA-01`,
    () => `CACE-${year(random).slice(2)}-${random.digits(6)}`,
    () => `68${year(random)}CA${random.digits(6)}A001PC`,
    () => `${year(random)} ${random.digits(5)} CICI`,
  ])()

const taxDeedCase = (random: Random): string =>
  random.pick([
    () => `TD 2026-${random.digits(3)}`,
    () => `2026-0${random.digits(3)}TD`,
    () => `26-${random.digits(3)} TDC`,
    () => `20260${random.digits(5)}`,
  ])()

const caseNumbers: Readonly<Record<LabelSet, (random: Random) => string>> = {
  FL_FORECLOSURE: floridaCase,
  FL_FORECLOSURE_MARKET_VALUE: floridaCase,
  FL_FORECLOSURE_PUBLICATION: floridaCase,
  FL_TAX_DEED: taxDeedCase,
  FL_TAX_DEED_KEY: taxDeedCase,
  OH_SHERIFF: (random) =>
    random.chance(0.5)
      ? `${year(random)} CV ${random.digits(5)} (0)`
      : `CV${year(random).slice(2)}${random.digits(6)} (${random.digits(5)})`,
  PA_SHERIFF: (random) => `${year(random)}-3${random.digits(4)} (0)`,
  TX_TAX_SALE: (random) => `TX-25-${random.digits(5)} (${random.integer(1, 8)})`,
}

const labelSets: Readonly<Record<LabelSet, (sold: Case, random: Random) => RawField[]>> = {
  FL_FORECLOSURE: (sold, random) => foreclosure(sold, random, 'Assessed Value:'),
  FL_FORECLOSURE_MARKET_VALUE: (sold, random) => foreclosure(sold, random, 'Property App. Market Value:'),
  FL_FORECLOSURE_PUBLICATION: (sold, random) => [
    field('Proof of Publication:', 'Pending'),
    caseField('Case #:', sold),
    field('Final Judgment Amount:', money(sold.judgment)),
    ...place('Parcel ID:', 'FL', random),
    field('Plaintiff Max Bid:', maxBid(random)),
  ],
  FL_TAX_DEED: (sold, random) => taxDeed(sold, random, 'Parcel ID:'),
  FL_TAX_DEED_KEY: (sold, random) => taxDeed(sold, random, random.pick(['Alternate Key:', 'Parcel Key:'])),
  OH_SHERIFF: (sold, random) => [
    field('Case Status:', 'ACTIVE'),
    caseField('Case #:', sold),
    ...place('Parcel ID:', 'OH', random),
    field('Appraised Value:', random.chance(0.2) ? '$0.00' : money(random.integer(3, 40) * 1_000_000)),
    field('Opening Bid:', money(random.integer(100_000, 9_000_000))),
    field('Deposit Requirement:', random.pick(['$5,000.00', '$10,000.00', '$2,000.00'])),
  ],
  PA_SHERIFF: (sold, random) => [
    field('Case Status:', 'ACTIVE'),
    caseField('Case #:', sold),
    field('Final Judgment Amount:', money(sold.judgment)),
    ...place('Parcel ID:', 'PA', random),
    field('Opening Bid:', money(random.integer(100_000, 1_500_000))),
  ],
  TX_TAX_SALE: (sold, random) => [
    field('Sale Type:', random.pick(['TAX SALE', 'TAX RESALE'])),
    caseField('Cause Number:', sold),
    field('Account Number:', random.digits(17)),
    field('Adjudged Value:', money(random.integer(900_000, 30_000_000))),
    field(random.pick(['Est. Min. Bid:', 'Min. Bid:']), money(random.integer(200_000, 4_000_000))),
    field('Precinct/Sale Number:', `/${random.integer(1, 60)}`),
    ...address('TX', random),
  ],
}

function foreclosure(sold: Case, random: Random, valueLabel: string): RawField[] {
  return [
    field('Auction Type:', 'FORECLOSURE'),
    caseField('Case #:', sold),
    field('Final Judgment Amount:', money(sold.judgment)),
    ...place('Parcel ID:', 'FL', random),
    field(valueLabel, assessed(random)),
    field('Plaintiff Max Bid:', maxBid(random)),
  ]
}

function taxDeed(sold: Case, random: Random, parcelLabel: string): RawField[] {
  const certificate = random.chance(0.12)
    ? ''
    : random.pick([
        `${random.integer(2019, 2024)}-${random.digits(3)}`,
        `22-0${random.digits(6)}`,
        `2022 / ${random.digits(4)}`,
        `${random.integer(100, 400)} OF 2020`,
        `${random.digits(4)}.0000`,
      ])
  const rows = [
    field('Auction Type:', 'TAXDEED'),
    caseField('Case #:', sold),
    field('Certificate #:', certificate),
    field('Opening Bid:', random.chance(0.05) ? '$0.00' : money(random.integer(90_000, 5_000_000))),
    ...place(parcelLabel, 'FL', random),
  ]
  return random.chance(0.1) ? rows : [...rows, field('Assessed Value:', assessed(random))]
}

const assessed = (random: Random): string =>
  random.chance(0.12) ? random.pick(['$0.00', '$1.00', '$100.00', '']) : money(random.integer(20_000, 600_000) * 100)

function maxBid(random: Random): string {
  if (random.chance(0.65)) return 'Hidden'
  return random.chance(0.3) ? random.pick(['', '$0.00']) : money(random.integer(1_000_000, 60_000_000))
}

function inventJudgment(random: Random): number {
  if (random.chance(0.15)) return 0
  if (random.chance(0.06)) return -random.integer(100_000, 45_000_000)
  return random.chance(0.06) ? random.integer(200_000_000, 480_000_000) : random.integer(600_000, 75_000_000)
}

/** The parcel and where it lies. Where the clerk linked no parcel the address is mostly missing too. */
function place(parcelLabel: string, state: keyof typeof towns, random: Random): RawField[] {
  if (random.chance(0.15)) {
    const parcel = field(parcelLabel, 'Property Appraiser', 'http://www.palmetto-appraiser.example/')
    return random.chance(0.7) ? [parcel] : [parcel, ...address(state, random)]
  }
  if (random.chance(0.1)) return [field(parcelLabel, random.pick(withoutParcel)), ...address(state, random)]
  const number = parcelLabel.endsWith('Key:')
    ? `00${random.digits(6)}`
    : random.pick([
        `${random.digits(5)}-000-000`,
        `${random.digits(2)}-${random.digits(2)}-17-0${random.digits(3)}-00000-${random.digits(4)}`,
        `0${random.digits(5)}-0000`,
        `K${random.digits(2)} ${random.digits(5)} ${random.digits(4)}, K${random.digits(2)} ${random.digits(5)} 0029`,
      ])
  const href = `http://www.palmetto-appraiser.example/parcel.aspx?AppID=1081&PageID=10770&Q=${random.digits(9)}&KeyValue=${number.replaceAll(/\W/g, '')}`
  return [
    random.chance(0.85) ? field(parcelLabel, number, href) : field(parcelLabel, number),
    ...address(state, random),
  ]
}

/** The address and the lines that continue it: none, the city, or up to two more before the city. */
function address(state: keyof typeof towns, random: Random): RawField[] {
  const city = cityLine(state, random.pick(towns[state]), random)
  const street = `${random.integer(11, 19_999)} ${random.pick(streets)}`
  const unit = random.pick([
    `UNIT ${random.integer(1, 40)}`,
    `APT ${random.integer(101, 912)}`,
    `LOT ${random.digits(2)}`,
  ])
  const shape = random.integer(1, 20)
  if (shape === 1) return [field('Property Address:', city)]
  if (shape === 2) return [field('Property Address:', random.pick(withoutAddress))]
  const lines =
    shape <= 4 ? ['HERON COURT CONDOMINIUM', unit, city] : shape <= 7 ? [unit, city] : shape === 8 ? [] : [city]
  return [field('Property Address:', street), ...lines.map((line) => field('', line))]
}

function cityLine(state: keyof typeof towns, town: Town, random: Random): string {
  if (state === 'OH') return `${town.name} , ${random.chance(0.3) ? `${town.zip}0000` : town.zip}`
  if (state === 'PA') return `${town.name}, ${town.zip}`
  if (state === 'TX') return `${town.name}, TX ${town.zip}-${random.digits(4)}`
  const shape = random.integer(1, 10)
  if (shape === 1) return `${town.name}, ${town.zip}`
  return shape === 2 ? `${town.name}, FL- ${town.zip}-${random.digits(4)}` : `${town.name}, FL- ${town.zip}`
}

const caseField = (label: string, sold: Case): RawField => field(label, sold.number, sold.href)

const field = (label: string, value: string, href?: string): RawField =>
  href === undefined ? { label, value } : { label, value, href }
