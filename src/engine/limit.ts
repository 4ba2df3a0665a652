import { wholeNumber } from './jobInput.ts'
import type { InputIssue } from './outcome.ts'

/** The most jobs that one command takes, and what it takes unless told. */
export const mostAtOnce = 1_000

/** The `limit` of a command; null counts as left out. */
export function checkLimit(
  limit: number | null | undefined,
): { kind: 'ok'; limit: number } | { kind: 'invalid'; issues: InputIssue[] } {
  const parsed = wholeNumber(1, mostAtOnce).safeParse(limit ?? mostAtOnce)
  if (parsed.success) return { kind: 'ok', limit: parsed.data }
  return { kind: 'invalid', issues: parsed.error.issues.map(({ message }) => ({ path: ['limit'], message })) }
}
