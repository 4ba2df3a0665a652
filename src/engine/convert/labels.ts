/** What a label names: a field of a prospect, or text that several fields are made of. */
export type LabelField =
  | 'caseNumber'
  | 'certificateNumber'
  | 'saleNumber'
  | 'parcelId'
  | 'auctionType'
  | 'auctionDate'
  | 'timeText'
  | 'status'
  | 'soldTo'
  | 'address'
  | 'cityLine'
  | 'city'
  | 'stateCode'
  | 'zip'
  | 'legalDescription'
  | 'plaintiff'
  | 'defendant'
  | 'attorney'
  | MoneyField
  /** Known, and no field of a prospect: kept in the raw data alone. */
  | 'none'

export type MoneyField =
  | 'finalJudgmentAmount'
  | 'plaintiffMaxBid'
  | 'assessedValue'
  | 'openingBid'
  | 'depositAmount'
  | 'saleAmount'

/**
 * What a label names, whatever its case, spaces, colon and full stops; null for a label we do not know.
 */
export const labelField = (label: string): LabelField | null => fieldByKey.get(labelKey(label)) ?? null

const labels: Record<LabelField, readonly string[]> = {
  caseNumber: ['Case #', 'Case Number', 'Case No', 'Cause Number', 'Cause #', 'Court File #', 'Court Case #'],
  certificateNumber: ['Certificate #', 'Cert #', 'Certificate Number'],
  saleNumber: ['Sheriff #', 'Precinct/Sale Number'],
  parcelId: ['Parcel ID', 'Parcel #', 'Parcel Number', 'Account Number', 'Alternate Key', 'Parcel Key'],
  auctionType: ['Auction Type', 'Sale Type'],
  auctionDate: ['Auction Date', 'Sale Date', 'Sales Date'],
  timeText: ['Time', 'Sale Time', 'Auction Time'],
  status: ['Status', 'Auction Status', 'Sale Status'],
  soldTo: ['Sold To'],
  address: ['Property Address', 'Address'],
  cityLine: ['City, State Zip'],
  city: ['City', 'Property City'],
  stateCode: ['State'],
  zip: ['Zip', 'Zip Code'],
  legalDescription: ['Description', 'Legal Description'],
  plaintiff: ['Plaintiff'],
  defendant: ['Defendant', 'Owner'],
  attorney: ['Attorney'],
  finalJudgmentAmount: ['Final Judgment Amount', 'Final Judgment', 'Approx. Judgment'],
  plaintiffMaxBid: ['Plaintiff Max Bid'],
  assessedValue: [
    'Assessed Value',
    'Appraised Value',
    'Adjudged Value',
    'Just Value',
    'Market Value',
    'Property App. Market Value',
    'Assessed',
    'Appraised',
    'Adjudged',
    'Just',
  ],
  openingBid: [
    'Opening Bid',
    'Opening Amount',
    'Estimated Opening Bid',
    'Minimum Bid',
    'Min. Bid',
    'Est. Min. Bid',
    'Upset',
    'Upset Amount',
    'Approx. Upset',
    'Good Faith Upset',
  ],
  depositAmount: ['Deposit Requirement'],
  saleAmount: ['Sale Amount', 'Sold Amount', 'Amount Sold'],
  none: ['Case Status', 'Proof of Publication', 'Priors', 'Property Note', 'Deed', 'Deed Address', 'Status History'],
}

/** Letters, digits and the number sign: `Approx. Upset*:` is `approxupset`, `Case #:` is `case#`. */
export const labelKey = (label: string): string => label.toLowerCase().replace(/[^a-z0-9#]/g, '')

const fieldByKey = new Map(
  (Object.entries(labels) as [LabelField, readonly string[]][]).flatMap(([field, names]) =>
    names.map((name): [string, LabelField] => [labelKey(name), field]),
  ),
)
