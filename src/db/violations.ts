/** Whether Postgres refused a write for this constraint or unique index. */
export function isViolationOf(error: unknown, constraint: string): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === constraint
}

/** Whether Postgres refused to delete a row that another points at. */
export function isStillReferenced(error: unknown): boolean {
  // restrict_violation, foreign_key_violation
  return error instanceof Error && 'code' in error && (error.code === '23001' || error.code === '23503')
}
