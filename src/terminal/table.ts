import { stripVTControlCharacters, styleText } from 'node:util'

export interface Column<Row> {
  title: string
  value: (row: Row) => string
  align?: 'left' | 'right'
}

/**
 * Rows as aligned text, two spaces between columns, the head dimmed where the stream shows colour. One string per
 * line, without line ends.
 */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  const cells = rows.map((row) => columns.map((column) => column.value(row)))
  const widths = columns.map((column, i) => Math.max(width(column.title), ...cells.map((line) => width(line[i] ?? ''))))
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => {
        const gap = ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(text)))
        return columns[i]?.align === 'right' ? gap + text : text + gap
      })
      .join('  ')
      .trimEnd()
  return [styleText('dim', line(columns.map((column) => column.title))), ...cells.map(line)]
}

/** The text's first characters up to a width, the last of them `…` where something was cut. */
export function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`
}

const width = (text: string) => stripVTControlCharacters(text).length
