import { DateTime } from 'luxon'
import type { SampleDay, SampleItem } from '../../src/demo/site/types.ts'
import { today } from './sampleDays.ts'

/**
 * What must be stored of a sample listing under the names of the API, told by the rules of conversion alone. Saved in a
 * county of Ohio as sheriff sales.
 */
export function expectedProspect(item: SampleItem, { date, timeText }: SampleDay): Record<string, unknown> {
  const field = (...labels: string[]) => item.fields.find(({ label }) => labels.includes(label.replace(/:$/, '')))
  const text = (...labels: string[]) => field(...labels)?.value || null
  const amount = (...labels: string[]) => dollars(field(...labels)?.value)
  const [, caseNumber, caseSuffix] = /^(.*?)(?: \((\d+)\))?$/.exec(text('Case #', 'Cause Number') ?? '') ?? []
  const parcel = field('Parcel ID', 'Account Number', 'Alternate Key', 'Parcel Key')
  const type = text('Auction Type')
  const status = auctionStatus(item, date)
  const sold = status === 'SOLD'
  return {
    auctionId: item.aid,
    caseNumber,
    caseSuffix: caseSuffix ?? null,
    auctionDate: date,
    startsAt: timeText ? instant(`${date} ${timeText}`, 'yyyy-MM-dd') : null,
    auctionStatus: status,
    auctionType: type === 'TAXDEED' ? 'TAX_DEED' : (type ?? 'SHERIFF_SALE'),
    auctionTypeText: type ?? text('Sale Type'),
    ...address(item),
    parcelId: parcel?.value === 'Property Appraiser' ? null : parcel?.value || null,
    parcelUrl: parcel?.href ?? null,
    caseUrl: field('Case #', 'Cause Number')?.href ?? null,
    finalJudgmentAmount: amount('Final Judgment Amount'),
    plaintiffMaxBid: amount('Plaintiff Max Bid'),
    assessedValue: amount('Assessed Value', 'Property App. Market Value', 'Appraised Value', 'Adjudged Value'),
    openingBid: amount('Opening Bid', 'Est. Min. Bid', 'Min. Bid'),
    depositAmount: amount('Deposit Requirement'),
    certificateNumber: text('Certificate #'),
    saleNumber: text('Precinct/Sale Number'),
    ...(sold && { saleAmount: dollars(item.status.D) }),
    soldAt: sold ? instant(item.status.B, 'MM/dd/yyyy') : null,
    soldTo: sold ? item.status.ST : null,
    buyerType: sold ? buyerTypes[item.status.ST] : null,
    listed: true,
    rawData: { fields: item.fields, status: item.status, area: item.area },
  }
}

const buyerTypes: Record<string, string> = {
  '3rd Party Bidder': 'THIRD_PARTY',
  Plaintiff: 'PLAINTIFF',
  'Certificate Holder': 'CERTIFICATE_HOLDER',
  'Cert Holder': 'CERTIFICATE_HOLDER',
}

function dollars(text = ''): string | null {
  const [, open, digits] = /^(\(?)\$([\d,]+\.\d\d)\)?$/.exec(text) ?? []
  return digits === undefined ? null : `${open ? '-' : ''}${digits.replaceAll(',', '')}`
}

function auctionStatus({ area, status }: SampleItem, date: string): string {
  if (area === 'W') return 'SCHEDULED'
  if (area === 'R') return 'RUNNING'
  if (status.A === 'Auction Sold') return status.SL === 'Unsold' ? 'UNSOLD' : 'SOLD'
  if (status.B === '') return date > today ? 'CANCELLED' : 'UNKNOWN'
  if (/^(cancel|withdrawn)/i.test(status.B)) return 'CANCELLED'
  if (/^redeemed/i.test(status.B)) return 'REDEEMED'
  return /rescheduled|postponed/i.test(status.B) ? 'POSTPONED' : 'UNSOLD'
}

/** The lines of the address: what is no city line is the street. */
function address({ fields }: SampleItem): Record<string, unknown> {
  const first = fields.findIndex(({ label }) => label === 'Property Address:')
  if (first === -1) return { propertyAddress: null, city: null, zip: null }
  const lines = [fields[first], ...fields.slice(first + 1).filter(({ label }) => label === '')]
  const texts = lines.map((line) => line?.value ?? '')
  const town = texts.slice(1).find((line) => /\d$/.test(line) && / \d{5}/.test(line))
  // A city where the street should be, or a word such as "unknown": the text says all there is.
  if (town === undefined) return {}
  const [, city, state, zip] = /^(.*?) ?,(?: ([A-Z]{2})-?)? (\d{5}(?:-\d{4})?)(?:0000)?$/.exec(town) ?? []
  return {
    propertyAddress: texts.filter((line) => line !== town).join(', '),
    city,
    stateCode: state ?? 'OH',
    zip,
  }
}

function instant(text: string, dateFormat: string): string | null {
  const zone = text.endsWith('CT') ? 'America/Chicago' : 'America/New_York'
  return DateTime.fromFormat(text.slice(0, -3), `${dateFormat} hh:mm a`, { zone }).toUTC().toISO()
}
