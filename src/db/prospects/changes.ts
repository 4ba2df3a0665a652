import type { ChangeKind } from '../../domain.ts'
import type { FieldChange } from '../tables.ts'
import { fieldTypes, type KnownProspect } from './values.ts'

/** What a read changed of a prospect, as its history keeps it. */
export interface RecordedChange {
  kind: ChangeKind
  fields: FieldChange[]
}

/**
 * The changes between two states of a stored prospect; none when only raw data or keys differ. CREATED lists the
 * fields that have a value. Values are printed as the API prints them.
 */
export function changesBetween(before: KnownProspect | null, after: KnownProspect): RecordedChange[] {
  const fields = differences(recorded, before, after)
  if (!before) return [{ kind: 'CREATED', fields }]
  const changes: RecordedChange[] = []
  if (before.listed !== after.listed) {
    changes.push({
      kind: after.listed ? 'RELISTED' : 'DELISTED',
      fields: differences(['listed', 'delistedAt'], before, after),
    })
  }
  if (fields.length > 0) changes.push({ kind: 'UPDATED', fields })
  return changes
}

type Recorded = Exclude<keyof KnownProspect, 'id' | 'countyFips' | 'caseKey' | 'parcelKey' | 'addressKey' | 'rawData'>

const recorded: readonly Recorded[] = [...(Object.keys(fieldTypes) as (keyof typeof fieldTypes)[]), 'lot', 'surplus']

function differences(names: readonly Recorded[], before: KnownProspect | null, after: KnownProspect): FieldChange[] {
  return names
    .map((field) => ({ field, before: print(before?.[field]), after: print(after[field]) }))
    .filter((change) => change.before !== change.after)
}

function print(value: KnownProspect[Recorded] | undefined): string | null {
  return value === null || value === undefined ? null : String(value)
}
