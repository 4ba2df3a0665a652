import type { ProspectFields } from '../../domain.ts'

/** Upper case, letters and digits only; null when nothing is left. */
export function normaliseKey(text: string | null): string | null {
  return (text ?? '').toUpperCase().replace(/[^A-Z0-9]/g, '') || null
}

/** The case number with its suffix as a key. */
export function caseKey(fields: Pick<ProspectFields, 'caseNumber' | 'caseSuffix'>): string | null {
  return fields.caseNumber === null ? null : normaliseKey(fields.caseNumber + (fields.caseSuffix ?? ''))
}

/**
 * A parcel number as a key; null for words that stand in its place (MULTIPLE PARCELS, TIMESHARE, Property Appraiser,
 * CONFIDENTIAL ..., spelled in many ways) and for zeros: every parcel number has a digit other than 0.
 */
export function parcelKey(parcelId: string | null): string | null {
  const key = normaliseKey(parcelId)
  return key === null || !/[1-9]/.test(key) || sharedWords.test(key) ? null : key
}

const sharedWords = /^(MULTI|TIMESHARE|PROPERTYAPPRAISER|CONFIDENTIAL|VARIOUS|UNKNOWN|SEE)/

/**
 * The street address with its unit as a key; null where it does not name one place: without a house number at its
 * front (NO SITUS, UNASSIGNED, 5TH AVE, a city's line) or with the number 0.
 */
export function addressKey(fields: Pick<ProspectFields, 'propertyAddress'>): string | null {
  const [first = ''] = (fields.propertyAddress ?? '')
    .trim()
    .toUpperCase()
    .split(/[\s,]+/)
  const isNumber =
    /^[A-Z]{0,2}\d[\dA-Z/-]*$/.test(first) && /[1-9]/.test(first) && !/^\d*(1ST|2ND|3RD|\dTH)$/.test(first)
  return isNumber ? normaliseKey(fields.propertyAddress) : null
}
