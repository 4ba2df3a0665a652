import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProspectFields, RawData, RawField } from '../../../src/domain.ts'
import { convertItem } from '../../../src/engine/convert/convertItem.ts'
import { labelField } from '../../../src/engine/convert/labels.ts'
import type { ConvertContext, SiteItem } from '../../../src/engine/sites/site.ts'

const context: ConvertContext = {
  platform: 'REALAUCTION',
  state: 'FL',
  timezone: 'America/New_York',
  today: '2026-05-01',
  auctionType: null,
}

const item = (fields: RawField[], more: Partial<SiteItem> = {}, raw: Partial<RawData> = {}): SiteItem => ({
  sourceKey: '4501',
  auctionId: '4501',
  url: 'https://ormiston.realforeclose.example/index.cfm?zaction=AUCTION&Zmethod=PREVIEW&AUCTIONDATE=05/01/2026',
  raw: { fields, status: null, area: 'W', ...raw },
  auctionDate: '2026-05-01',
  timeText: '10:00 AM ET',
  ...more,
})

const rows = (...pairs: [label: string, value: string, href?: string][]): RawField[] =>
  pairs.map(([label, value, href]) => (href === undefined ? { label, value } : { label, value, href }))

/** The fields of a listing that must convert; a case number is added. */
function converted(
  fields: RawField[],
  more: Partial<SiteItem> = {},
  raw: Partial<RawData> = {},
  where: Partial<ConvertContext> = {},
): ProspectFields {
  const conversion = convertItem(item([{ label: 'Case #:', value: '26-1' }, ...fields], more, raw), {
    ...context,
    ...where,
  })
  if (conversion.kind === 'rejected') throw new Error(`${conversion.field}: ${conversion.message}`)
  return conversion.fields
}

test('a foreclosure becomes a prospect, whole', () => {
  const fields = rows(
    ['Auction Type:', 'FORECLOSURE'],
    ['Case #:', '07-2026-CA-000123-XXAX', 'https://clerk.example/case?book=11&Page=22'],
    ['Final Judgment Amount:', '$139,493.42'],
    ['Parcel ID:', '007123-0000', '/parcel?RE=0071230000'],
    ['Property Address:', '14 HERON LANDING CT'],
    ['', 'UNIT 7'],
    ['', 'ORMISTON, FL- 32999'],
    ['Assessed Value:', '$92,567.00'],
    ['Plaintiff Max Bid:', 'Hidden'],
  )
  expect(convertItem(item(fields), context)).toEqual({
    kind: 'prospect',
    unknownLabels: [],
    fields: {
      caseNumber: '07-2026-CA-000123-XXAX',
      caseSuffix: null,
      auctionDate: '2026-05-01',
      startsAt: '2026-05-01T14:00:00.000Z',
      timeText: '10:00 AM ET',
      auctionStatus: 'SCHEDULED',
      auctionStatusText: null,
      auctionType: 'FORECLOSURE',
      auctionTypeText: 'FORECLOSURE',
      propertyAddress: '14 HERON LANDING CT, UNIT 7',
      city: 'ORMISTON',
      stateCode: 'FL',
      zip: '32999',
      parcelId: '007123-0000',
      legalDescription: null,
      finalJudgmentAmount: '139493.42',
      plaintiffMaxBid: null,
      assessedValue: '92567.00',
      assessedValueLabel: 'Assessed Value',
      openingBid: null,
      depositAmount: null,
      saleAmount: null,
      soldAt: null,
      soldTo: null,
      buyerType: null,
      plaintiff: null,
      defendant: null,
      attorney: null,
      certificateNumber: null,
      saleNumber: null,
      auctionId: '4501',
      caseUrl: 'https://clerk.example/case?book=11&Page=22',
      parcelUrl: 'https://ormiston.realforeclose.example/parcel?RE=0071230000',
      sourceUrl:
        'https://ormiston.realforeclose.example/index.cfm?zaction=AUCTION&Zmethod=PREVIEW&AUCTIONDATE=05/01/2026',
    },
  })
})

describe('labels', () => {
  const money = ['finalJudgmentAmount', 'plaintiffMaxBid', 'assessedValue', 'openingBid', 'depositAmount'] as const
  test.each<[keyof ProspectFields, string[]]>([
    [
      'assessedValue',
      ['Assessed Value', 'Appraised Value', 'Adjudged Value', 'Just Value', 'Property App. Market Value'],
    ],
    [
      'openingBid',
      ['Opening Bid', 'Minimum Bid', 'Min. Bid', 'Est. Min. Bid', 'Upset', 'Approx. Upset', 'Approx. Upset*'],
    ],
    ['finalJudgmentAmount', ['Final Judgment Amount', 'Approx. Judgment', 'Approx. Judgment*']],
    ['plaintiffMaxBid', ['Plaintiff Max Bid', 'Plaintiff Max\nBid']],
    ['depositAmount', ['Deposit Requirement']],
    ['parcelId', ['Parcel ID', 'Parcel #', 'Account Number', 'Alternate Key', 'Parcel Key']],
    ['saleNumber', ['Sheriff #', 'Precinct/Sale Number']],
    ['certificateNumber', ['Certificate #', 'Cert #', 'Certificate Number']],
    ['defendant', ['Defendant', 'Owner']],
    ['plaintiff', ['Plaintiff']],
    ['attorney', ['Attorney']],
  ])('%s', (field, labels) => {
    const isMoney = money.some((name) => name === field)
    for (const label of labels) {
      for (const printed of [label, `${label}:`, ` ${label.toUpperCase()} : `, label.replaceAll(' ', '  ')]) {
        const fields = converted([{ label: printed, value: isMoney ? '$1,050.50' : '0012 7' }])
        expect({ printed, value: fields[field] }).toEqual({ printed, value: isMoney ? '1050.50' : '0012 7' })
      }
    }
  })

  test('every way to name a case', () => {
    for (const label of ['Case #:', 'Cause Number:', 'Court File #', 'Court Case #:', 'Case Number:']) {
      expect(convertItem(item(rows([label, '26-7'])), context)).toMatchObject({
        kind: 'prospect',
        fields: { caseNumber: '26-7' },
      })
    }
  })

  test('the words of the assessed value are kept', () => {
    expect(converted(rows(['Just Value:', '$7.00'])).assessedValueLabel).toBe('Just Value')
    expect(converted(rows(['Assessed Value:', ''], ['Just Value:', '$7.00']))).toMatchObject({
      assessedValue: '7.00',
      assessedValueLabel: 'Just Value',
    })
  })

  test('unknown ones are named once, and change nothing', () => {
    const fields = rows(
      ['Case #:', '26-1'],
      ['Case Status:', 'ACTIVE'],
      ['Tide Mark:', '3'],
      ['Tide Mark:', '4'],
      ['Zoo:', '$x'],
    )
    expect(convertItem(item(fields), context)).toMatchObject({ kind: 'prospect', unknownLabels: ['Tide Mark', 'Zoo'] })
  })

  test('a label is known by its letters alone', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ .:\n*]{0,4}$/), (noise) => {
        expect(labelField(`Est.${noise}Min.${noise}Bid${noise}`)).toBe('openingBid')
      }),
    )
  })
})

describe('blank labels', () => {
  test('continue the field before them, whatever field that is', () => {
    const fields = converted(rows(['Parcel ID:', '11-22'], ['', '33-44'], ['Owner:', 'A. PERSON'], ['', 'B. PERSON']))
    expect(fields).toMatchObject({ parcelId: '11-22, 33-44', defendant: 'A. PERSON, B. PERSON', propertyAddress: null })
  })

  test('a city row without its address row is not the parcel (6.6)', () => {
    const fields = converted(
      rows(['Parcel ID:', 'Property Appraiser'], ['', 'ORMISTON, FL- 32999'], ['Assessed Value:', '$1.00']),
    )
    expect(fields).toMatchObject({
      parcelId: null,
      propertyAddress: null,
      city: 'ORMISTON',
      zip: '32999',
      assessedValue: '1.00',
    })
  })

  test('a city row of a label of its own is the city too', () => {
    const fields = converted(rows(['Property Address:', '14 HERON CT'], ['City, State Zip:', 'ORMISTON, FL- 32999']))
    expect(fields).toMatchObject({ propertyAddress: '14 HERON CT', city: 'ORMISTON', zip: '32999' })
  })
})

describe('values', () => {
  test('Hidden, TBD and blank are null', () => {
    for (const value of ['Hidden', 'TBD', '', ' ']) {
      expect(
        converted(rows(['Plaintiff Max Bid:', value], ['Property Address:', value], ['Certificate #:', value])),
      ).toMatchObject({
        plaintiffMaxBid: null,
        propertyAddress: null,
        certificateNumber: null,
      })
    }
  })

  test('the appraiser is no parcel, other words stay (6.7)', () => {
    expect(converted(rows(['Parcel ID:', 'Property Appraiser', 'https://a.example/?folio='])).parcelId).toBeNull()
    expect(converted(rows(['Parcel ID:', 'PROPERTY APPRAISER'])).parcelId).toBeNull()
    expect(converted(rows(['Parcel ID:', 'MULTIPLE PARCELS'])).parcelId).toBe('MULTIPLE PARCELS')
    expect(converted(rows(['Alternate Key:', '00190947'])).parcelId).toBe('00190947')
  })

  test('the state is the address’s own, else the county’s', () => {
    expect(converted(rows(['Property Address:', '1 A ST'], ['', 'ORMISTON, GA- 31999'])).stateCode).toBe('GA')
    expect(converted(rows(['Property Address:', '1 A ST'], ['', 'ORMISTON, 31999'])).stateCode).toBe('FL')
    expect(converted([], {}, {}, { state: '' }).stateCode).toBeNull()
  })

  test('a suffix leaves the case number where the state has suffixes', () => {
    const fields = rows(['Cause Number:', 'TX-26-01693 (8)'])
    expect(convertItem(item(fields), { ...context, state: 'TX' })).toMatchObject({
      fields: { caseNumber: 'TX-26-01693', caseSuffix: '8' },
    })
    expect(convertItem(item(fields), context)).toMatchObject({
      fields: { caseNumber: 'TX-26-01693 (8)', caseSuffix: null },
    })
  })

  test('the type is the listing’s own, else the scrape URL’s, else OTHER', () => {
    expect(converted(rows(['Auction Type:', 'TAXDEED ']), {}, {}, { auctionType: 'FORECLOSURE' })).toMatchObject({
      auctionType: 'TAX_DEED',
      auctionTypeText: 'TAXDEED',
    })
    expect(converted(rows(['Sale Type:', 'Treasurer Deed'])).auctionType).toBe('TAX_DEED')
    expect(converted(rows(['Sale Type:', 'STANDARD']), {}, {}, { auctionType: 'SHERIFF_SALE' })).toMatchObject({
      auctionType: 'SHERIFF_SALE',
      auctionTypeText: 'STANDARD',
    })
    expect(converted([]).auctionType).toBe('OTHER')
  })

  test('links that are no pages are left out', () => {
    for (const href of ['javascript:void(0)', 'mailto:a@b.example', 'http://[', 'file:///etc/passwd']) {
      expect(converted(rows(['Parcel ID:', '1', href])).parcelUrl).toBeNull()
    }
  })

  test('a listing’s own start time serves where the calendar names none', () => {
    const status = { A: 'A', B: '05/01/2026 11:30 AM ET', C: '', D: '', SL: '', ST: '' }
    expect(converted([], { timeText: null }, { status })).toMatchObject({
      timeText: '11:30 AM ET',
      startsAt: '2026-05-01T15:30:00.000Z',
    })
    expect(converted([], { timeText: null, auctionDate: '2026-05-02' }, { status }).startsAt).toBeNull()
    expect(converted([], {}, { status }).timeText).toBe('10:00 AM ET')
  })

  test('a date label serves where the page has no date of its own', () => {
    const fields = rows(['Sales Date:', '9/1/2026 02:00 PM'])
    expect(converted(fields, { auctionDate: null, timeText: null })).toMatchObject({
      auctionDate: '2026-09-01',
      startsAt: '2026-09-01T18:00:00.000Z',
    })
    expect(converted(fields).auctionDate).toBe('2026-05-01')
  })

  test('a sale is converted with its buyer', () => {
    const status = {
      A: 'Auction Sold',
      B: '05/01/2026 11:23 AM ET',
      C: 'Amount',
      D: '$124,700.00',
      SL: 'Sold To',
      ST: 'Plaintiff',
    }
    expect(converted([], {}, { status, area: 'C' })).toMatchObject({
      auctionStatus: 'SOLD',
      saleAmount: '124700.00',
      soldTo: 'Plaintiff',
      buyerType: 'PLAINTIFF',
    })
  })
})

describe('rejected rows name their field', () => {
  test.each<[string, string, string]>([
    ['openingBid', 'Opening Bid:', '$12.3.4'],
    ['finalJudgmentAmount', 'Final Judgment Amount:', '$1,000,000,000,000.00'],
    ['assessedValue', 'Just Value:', '$1,23.00'],
    ['auctionDate', 'Sale Date:', '13/45/2026'],
    ['auctionDate', 'Sale Date:', 'week 32'],
  ])('%s: %s %s', (field, label, value) => {
    const conversion = convertItem(item(rows(['Case #:', '26-1'], [label, value], ['Zoo:', '1'])), context)
    expect(conversion).toMatchObject({ kind: 'rejected', field, unknownLabels: ['Zoo'] })
    expect(conversion.kind === 'rejected' && conversion.message).toContain(value)
  })

  test('no case number', () => {
    for (const fields of [[], rows(['Case #:', '']), rows(['Parcel ID:', '12'])]) {
      expect(convertItem(item(fields), context)).toMatchObject({ kind: 'rejected', field: 'caseNumber' })
    }
  })

  test('a listing of another platform without what it is known by', () => {
    const of = (platform: ConvertContext['platform'], ...pairs: [string, string][]) =>
      convertItem(item(rows(...pairs)), { ...context, platform })
    expect(of('CIVILVIEW', ['Court Case #:', '26-1'])).toMatchObject({ kind: 'rejected', field: 'saleNumber' })
    expect(of('CIVILVIEW', ['Sheriff #:', 'F-26001']).kind).toBe('prospect')
    expect(of('HTML_TABLE', ['Owner', 'A MAN'])).toMatchObject({ kind: 'rejected', field: 'caseNumber' })
    for (const label of ['Case #', 'Certificate #', 'Parcel ID', 'Address']) {
      expect(of('HTML_TABLE', [label, '17 B ST']).kind).toBe('prospect')
    }
  })

  test('a time or moment that does not exist', () => {
    const fields = rows(['Case #:', '26-1'])
    expect(convertItem(item(fields, { timeText: '25:99 AM ET' }), context)).toMatchObject({
      kind: 'rejected',
      field: 'startsAt',
    })
    const status = { A: 'Auction Sold', B: '13/45/2026 11:23 AM ET', C: '', D: '$1.00', SL: '', ST: '' }
    expect(convertItem(item(fields, {}, { status }), context)).toMatchObject({ kind: 'rejected', field: 'soldAt' })
  })

  test('whatever a page holds, a row is converted or rejected, never thrown', () => {
    const label = fc.oneof(
      fc.constantFrom('', 'Case #:', 'Opening Bid:', 'Sale Date:', 'Property Address:', 'Parcel ID:', 'Status:'),
      fc.string(),
    )
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom('$1.00', '1/1/2026', 'ORMISTON, FL- 32999', 'Hidden', '99:99 PM'),
    )
    const field = fc.record({ label, value, href: fc.oneof(fc.webUrl(), fc.string()) })
    fc.assert(
      fc.property(fc.array(field), fc.oneof(fc.constant(null), fc.string()), (fields, timeText) => {
        expect(['prospect', 'rejected']).toContain(convertItem(item(fields, { timeText }), context).kind)
      }),
    )
  })
})
