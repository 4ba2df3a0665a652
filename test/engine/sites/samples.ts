import { inventSales } from '../../../src/demo/civilview/sales.ts'
import { startCivilView } from '../../../src/demo/civilview/server.ts'
import { generateDay } from '../../../src/demo/site/generate.ts'
import { startSampleSite } from '../../../src/demo/site/server.ts'
import { inventRows, startTable } from '../../../src/demo/table/server.ts'
import type { SitePlatform } from '../../../src/domain.ts'

export const today = '2026-03-18'
/** Over, under way, and to come. */
export const saleDays = ['2026-03-10', '2026-03-18', '2026-03-25'] as const

/** What a site can meet, whatever its platform. */
export type Trouble =
  | '403'
  | '500'
  /** The connection ends in the middle of a body. */
  | 'cut'
  /** Half of a body comes as if it were all. */
  | 'half'
  /** The server has forgotten the session. */
  | 'cold'
  | 'changedTemplate'
  | 'foreignRedirect'
  | 'captcha'
  /** The answer does not come. */
  | 'stall'

/** A sample site of a platform, for the promises that every platform keeps. */
export interface Sample {
  url: string
  host: string
  options: unknown
  /** How many listings there are on each day; null: without a date. */
  listed: ReadonlyMap<string | null, number>
  /** Meets every request from now on, until what it returns is called. */
  trouble(kind: Trouble): () => void
  /** Requests held by a stall just now. */
  held(): number
  requests(): number
  close(): Promise<void>
}

/** One for every platform there is. */
export const samples: Record<SitePlatform, { start(): Promise<Sample>; troubles: readonly Trouble[] }> = {
  REALAUCTION: {
    troubles: ['403', '500', 'cut', 'half', 'cold', 'changedTemplate', 'foreignRedirect', 'captcha'],
    async start() {
      const days = saleDays.map((date) => generateDay(date, { today, perDay: 12 }))
      const site = await startSampleSite({ today, days })
      const kinds = {
        '403': { kind: 'status403' },
        '500': { kind: 'status500' },
        cut: { kind: 'cutBody' },
        half: { kind: 'truncatedJson' },
        cold: { kind: 'coldSession' },
        changedTemplate: { kind: 'templateChanged' },
        foreignRedirect: { kind: 'foreignRedirect' },
        captcha: { kind: 'captcha' },
        stall: { kind: 'stall' },
      } as const
      return {
        url: site.url,
        host: site.host,
        options: {},
        listed: new Map(saleDays.map((date) => [date, 12])),
        trouble: (kind) => site.faults.add(kinds[kind]),
        held: () => site.faults.held,
        requests: () => site.requests.length,
        close: () => site.close(),
      }
    },
  },
  CIVILVIEW: {
    troubles: ['403', '500', 'cut', 'half', 'cold', 'changedTemplate', 'foreignRedirect', 'captcha'],
    async start() {
      const site = await startCivilView(inventSales(saleDays, today))
      const kinds = { ...plainKinds, cold: 'lostSession', changedTemplate: 'changedHeader' } as const
      return {
        url: site.url,
        host: site.host,
        options: {},
        listed: new Map<string | null, number>([...saleDays.map((date) => [date, 4] as const), [null, 2]]),
        trouble: (kind) => site.addFault({ kind: kinds[kind] }),
        held: () => site.held,
        requests: () => site.requests.length,
        close: () => site.close(),
      }
    },
  },
  HTML_TABLE: {
    // It knows no sessions.
    troubles: ['403', '500', 'cut', 'half', 'changedTemplate', 'foreignRedirect', 'captcha'],
    async start() {
      const site = await startTable(inventRows(saleDays), { perPage: 5 })
      const kinds = { ...plainKinds, cold: 'status403', changedTemplate: 'changedHeader' } as const
      return {
        url: site.url,
        host: site.host,
        options: { columns: { 'Court File #': 'caseNumber' }, date: { column: 'Sale Day' } },
        // The last parcel is listed in two parts.
        listed: new Map<string | null, number>([
          ['2026-03-10', 3],
          ['2026-03-18', 3],
          ['2026-03-25', 5],
          [null, 1],
        ]),
        trouble: (kind) => site.addFault({ kind: kinds[kind] }),
        held: () => site.held,
        requests: () => site.requests.length,
        close: () => site.close(),
      }
    },
  },
}

const plainKinds = {
  '403': 'status403',
  '500': 'status500',
  cut: 'cutBody',
  half: 'halfBody',
  foreignRedirect: 'foreignRedirect',
  captcha: 'captcha',
  stall: 'stall',
} as const
