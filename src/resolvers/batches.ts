/** What was loaded for each key, in the order of the keys; null where there is nothing. */
export function inOrder<Key, Row>(
  keys: readonly Key[],
  rows: readonly Row[],
  keyOf: (row: Row) => Key,
): (Row | null)[] {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]))
  return keys.map((key) => byKey.get(key) ?? null)
}

/** The rows that belong to each key, in the order of the keys. */
export function inGroups<Key, Row>(keys: readonly Key[], rows: readonly Row[], keyOf: (row: Row) => Key): Row[][] {
  const groups = new Map<Key, Row[]>(keys.map((key) => [key, []]))
  for (const row of rows) groups.get(keyOf(row))?.push(row)
  return keys.map((key) => groups.get(key) ?? [])
}

/** Every key once: loaders do not remember, so that a key may come to them more than once. */
export function distinct<Key>(keys: readonly Key[]): Key[] {
  return [...new Set(keys)]
}
