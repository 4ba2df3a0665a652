/** The keys of one read made distinct: where one comes again it gets `~2`, `~3` in page order. */
export function distinctKeys(keys: readonly string[]): string[] {
  const seen = new Map<string, number>()
  return keys.map((key) => {
    const times = (seen.get(key) ?? 0) + 1
    seen.set(key, times)
    return times === 1 ? key : `${key}~${times}`
  })
}
