import { styleText } from 'node:util'
import type { CompletenessProof, DayOutcome, JobStatus } from '../domain.ts'
import { type Column, formatTable } from './table.ts'

/** A day report as the terminal shows it. */
export interface DayLine {
  date: string | null
  outcome: DayOutcome
  proof: CompletenessProof | null
  expected: number | null
  received: number
  created: number
  updated: number
  unchanged: number
  rejected: number
}

const columns: readonly Column<DayLine>[] = [
  { title: 'day', value: (day) => day.date ?? 'undated' },
  { title: 'outcome', value: (day) => outcome(day.outcome) },
  { title: 'proved by', value: (day) => proofs[day.proof ?? 'NONE'] },
  { title: 'site says', value: (day) => (day.expected === null ? '–' : String(day.expected)), align: 'right' },
  { title: 'received', value: (day) => String(day.received), align: 'right' },
  { title: 'new', value: (day) => String(day.created), align: 'right' },
  { title: 'changed', value: (day) => String(day.updated), align: 'right' },
  { title: 'same', value: (day) => String(day.unchanged), align: 'right' },
  { title: 'rejected', value: (day) => String(day.rejected), align: 'right' },
]

const proofs = {
  ID_LIST: 'id list',
  COUNT: 'count',
  FULL_LIST: 'full list',
  CALENDAR: 'calendar',
  NONE: '–',
} as const

/** The completeness of each day, one line a day under a head. */
export function formatDays(days: readonly DayLine[]): string[] {
  return formatTable(days, columns)
}

/** The outcome in its colour; the word alone says it where there is none. */
function outcome(value: DayOutcome): string {
  if (value === 'COMPLETE' || value === 'EMPTY') return styleText('green', value)
  if (value === 'INCOMPLETE' || value === 'BLOCKED' || value === 'FAILED') return styleText('red', value)
  return styleText('yellow', value)
}

/** A job's status in its colour. */
export function formatStatus(status: JobStatus): string {
  if (status === 'COMPLETED') return styleText('green', status)
  if (status === 'FAILED') return styleText('red', status)
  return styleText(status === 'RUNNING' ? 'cyan' : 'yellow', status)
}
