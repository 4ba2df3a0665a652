import type { DayRow } from '../../../src/db/prospects/dayRow.ts'
import type { ProspectFields } from '../../../src/domain.ts'

/** Fields of a foreclosure that waits for its sale, as conversion gives them. */
export function sampleFields(change: Partial<ProspectFields> = {}): ProspectFields {
  return {
    caseNumber: '16-2026-CA-000417',
    caseSuffix: null,
    auctionDate: '2026-03-05',
    startsAt: '2026-03-05T15:00:00.000Z',
    timeText: '10:00 AM ET',
    auctionStatus: 'SCHEDULED',
    auctionStatusText: null,
    auctionType: 'FORECLOSURE',
    auctionTypeText: 'FORECLOSURE',
    propertyAddress: '12 HERON LN',
    city: 'JACKSONVILLE',
    stateCode: 'FL',
    zip: '32218',
    parcelId: '044-1180',
    legalDescription: null,
    finalJudgmentAmount: '219123.16',
    plaintiffMaxBid: null,
    assessedValue: '180500.00',
    assessedValueLabel: 'Assessed Value:',
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
    auctionId: '1001',
    caseUrl: null,
    parcelUrl: null,
    sourceUrl: 'https://duval.example.com/auction/1001',
    ...change,
  }
}

/** A row with its keys made from its fields: letters and digits, upper case. */
export function sampleRow(sourceKey: string, change: Partial<ProspectFields> = {}): DayRow {
  const fields = sampleFields({ auctionId: sourceKey, ...change })
  return {
    sourceKey,
    auctionId: fields.auctionId,
    url: fields.sourceUrl,
    fields,
    raw: { fields: [{ label: 'Case #:', value: fields.caseNumber ?? '' }], status: null, area: 'W' },
    keys: {
      case: key(`${fields.caseNumber ?? ''}${fields.caseSuffix ?? ''}`),
      parcel: key(fields.parcelId === 'MULTIPLE' ? '' : (fields.parcelId ?? '')),
      address: key(fields.propertyAddress ?? ''),
    },
  }
}

function key(text: string): string | null {
  return text.toUpperCase().replaceAll(/[^A-Z0-9]/g, '') || null
}
