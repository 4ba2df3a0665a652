/** The records of a CSV file (RFC 4180) by the names of its first line. */
export function readCsv(text: string): Record<string, string>[] {
  const lines: string[][] = [[]]
  // A cell, quoted or bare, and what ends it.
  for (const [, quoted, bare = '', end] of text
    .replace(/^\uFEFF/, '')
    .matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/g)) {
    lines.at(-1)?.push(quoted?.replaceAll('""', '"') ?? bare)
    if (end !== ',') lines.push([])
  }
  const [names = [], ...rows] = lines.filter((cells) => cells.length > 1)
  return rows.map((cells) => Object.fromEntries(names.map((name, i) => [name, cells[i] ?? ''])))
}
