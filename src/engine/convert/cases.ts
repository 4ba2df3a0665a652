/**
 * Splits a case number from its ` (n)` suffix, the sheriff's or precinct's number that Ohio, Pennsylvania and Texas
 * print behind it. `state` is the county's. Elsewhere brackets are part of the number.
 */
export function splitCaseNumber(text: string, state: string): { caseNumber: string; caseSuffix: string | null } {
  const found = suffixStates.has(state) ? /^(.*\S)\s+\((\d+)\)$/.exec(text) : null
  return { caseNumber: found?.[1] ?? text, caseSuffix: found?.[2] ?? null }
}

const suffixStates: ReadonlySet<string> = new Set(['OH', 'PA', 'TX'])
