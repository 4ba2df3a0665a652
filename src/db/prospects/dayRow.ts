import type { ProspectFields, RawData } from '../../domain.ts'

/** One listing of a read, converted. */
export interface DayRow {
  /** Unique within its site and read. */
  sourceKey: string
  auctionId: string | null
  /** The page a person would open to see it. */
  url: string
  fields: ProspectFields
  raw: RawData
  /** Normalised; `parcel` is null for words that name no parcel. */
  keys: { case: string | null; parcel: string | null; address: string | null }
}

/** One listing of a read that could not be converted: kept as an error of its job. */
export interface RejectedRow {
  sourceKey: string
  auctionId: string | null
  /** The field that could not be converted. */
  field: string
  message: string
  raw: RawData
}
