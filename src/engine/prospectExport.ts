import type { CsvRow } from '../db/csvRows.ts'
import { readInBatches } from '../db/cursor.ts'
import type { Database } from '../db/database.ts'
import type { ProspectFilter } from '../db/prospectFilter.ts'
import type { ProspectOrder } from '../db/prospectOrder.ts'
import { prospectsInOrder } from '../db/prospectPages.ts'
import type { ExportFormat } from '../domain.ts'
import { csvOf } from './csv.ts'
import { prospectColumns } from './prospectColumns.ts'

/** Which prospects an export holds, in which order: as a page of them would. */
export interface ProspectSelection {
  filter: ProspectFilter
  orderBy: ProspectOrder
}

/**
 * Every prospect that matches as CSV (see csvOf) or as NDJSON, an object on each line. It reads as fast as it is
 * taken; `signal` cancels the query under way.
 */
export function streamProspects(
  db: Database,
  { filter, orderBy }: ProspectSelection,
  format: ExportFormat,
  signal?: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  const batches = readInBatches(db, prospectsInOrder(db, filter, orderBy), signal)
  return format === 'CSV' ? csvOf(batches) : ndjsonOf(batches)
}

async function* ndjsonOf(batches: AsyncIterable<readonly CsvRow[]>): AsyncGenerator<string, void, undefined> {
  for await (const rows of batches) yield rows.map((row) => `${JSON.stringify(objectOf(row))}\n`).join('')
}

const objectOf = (row: CsvRow) => Object.fromEntries(prospectColumns.map(([name, value]) => [name, value(row)]))
