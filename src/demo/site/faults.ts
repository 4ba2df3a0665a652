import type { CalendarDate } from '../../domain.ts'
import type { Asked } from './request.ts'
import type { Area, RequestKind } from './types.ts'

/** What can go wrong. Where two kinds match one request, the one that stands first here decides. */
export type FaultKind =
  /** Takes the request and answers only when the fault is removed; a close of the site ends it too. */
  | { kind: 'stall' }
  /** Redirects to the vendor's own site, as a host without a tenant does on every path. */
  | { kind: 'notATenant' }
  | { kind: 'foreignRedirect'; location?: string }
  | { kind: 'privateRedirect'; location?: string }
  | { kind: 'status403' }
  /** Retry-After in seconds, 1 unless told; null: without the header. */
  | { kind: 'status429'; retryAfterSeconds?: number | null }
  | { kind: 'status503'; retryAfterSeconds?: number | null }
  | { kind: 'status500' }
  /** 200 with the heading OFFLINE. */
  | { kind: 'maintenance' }
  /** 200 with a challenge in place of the page. */
  | { kind: 'captcha' }
  /** The right answer followed by white space up to `bytes`, 64 MiB unless told. */
  | { kind: 'oversizedBody'; bytes?: number }
  /** Half of the body under the length of the whole, then the connection is gone. */
  | { kind: 'cutBody' }
  /** Half of the body as if it were all: JSON that does not parse. */
  | { kind: 'truncatedJson' }
  /** The day page lists no ids and every area is empty, as days long past are. */
  | { kind: 'goneDay' }
  /** The day page has no list of ids. */
  | { kind: 'noIdList' }
  /** The calendar's sale days carry no counts. */
  | { kind: 'noCounts' }
  /** A warm session gets the empty answer of a cold one. */
  | { kind: 'coldSession' }
  /** The session answers with the items of another day: that of `date`, else its neighbour. */
  | { kind: 'wrongDate'; date?: CalendarDate }
  /** Every page is page 1 again. */
  | { kind: 'repeatPage' }
  /** The page lacks its last items, one unless told. */
  | { kind: 'shortPage'; drop?: number }
  /** After the answer the day's first waiting item is closed: it changes area while it is being read. */
  | { kind: 'moveItem' }
  /** token: one that is not in the table, unless told; labels: values without labels. */
  | { kind: 'templateChanged'; how?: 'token' | 'labels' }

export type Fault = FaultKind & {
  /** How many requests it meets; without it every one until it is removed. */
  times?: number
  when?: FaultCondition
}

/** All that is named must hold. */
export interface FaultCondition {
  request?: RequestKind
  /** The auction day; for CALENDAR any day of the month. */
  date?: CalendarDate
  area?: Area
  /** Of a LOAD, from 1. */
  page?: number
}

export interface Faults {
  /** Returns what takes the fault away again and lets go of the answers it holds. */
  add(fault: Fault): () => void
  clear(): void
  /** How many requests are held by stalls just now. */
  readonly held: number
}

/** The faults that meet one request, at most one of a kind. */
export class Met {
  readonly #active: readonly ActiveFault[]

  constructor(active: readonly ActiveFault[]) {
    this.#active = active
  }

  get<K extends Fault['kind']>(kind: K): Extract<Fault, { kind: K }> | undefined {
    const found = this.#active.find(({ fault }) => fault.kind === kind)
    return found?.fault as Extract<Fault, { kind: K }> | undefined
  }

  /** Settles when the stall that met the request is removed; undefined where none did. */
  get stalled(): Promise<void> | undefined {
    return this.#active.find(({ fault }) => fault.kind === 'stall')?.removal.promise
  }
}

interface ActiveFault {
  fault: Fault
  left: number
  removal: PromiseWithResolvers<void>
}

export class FaultBoard implements Faults {
  #active: ActiveFault[] = []
  held = 0

  add(fault: Fault): () => void {
    const active = { fault, left: fault.times ?? Number.POSITIVE_INFINITY, removal: Promise.withResolvers<void>() }
    this.#active.push(active)
    return () => this.#remove(active)
  }

  clear(): void {
    for (const active of this.#active) this.#remove(active)
  }

  /** The first matching fault of each kind, each counted as met once. */
  meet(asked: Asked): Met {
    const met: ActiveFault[] = []
    for (const active of this.#active) {
      if (active.left < 1 || met.some(({ fault }) => fault.kind === active.fault.kind)) continue
      if (!matches(active.fault, asked)) continue
      active.left -= 1
      met.push(active)
    }
    return new Met(met)
  }

  #remove(active: ActiveFault): void {
    this.#active = this.#active.filter((other) => other !== active)
    active.removal.resolve()
  }
}

const anyPage: readonly RequestKind[] = ['CALENDAR', 'PREVIEW', 'LOAD', 'UPDATE']

/** Where a kind means something; elsewhere it does not meet, and its `times` is not used up. */
const meets: Partial<Record<Fault['kind'], readonly RequestKind[]>> = {
  notATenant: [...anyPage, 'ASSET', 'OTHER'],
  truncatedJson: ['LOAD', 'UPDATE'],
  goneDay: ['PREVIEW', 'LOAD', 'UPDATE'],
  noIdList: ['PREVIEW'],
  noCounts: ['CALENDAR'],
  coldSession: ['LOAD'],
  wrongDate: ['LOAD', 'UPDATE'],
  repeatPage: ['LOAD'],
  shortPage: ['LOAD'],
  moveItem: ['LOAD'],
  templateChanged: ['LOAD'],
}

function matches(fault: Fault, asked: Asked): boolean {
  const { request, date, area, page } = fault.when ?? {}
  const length = asked.kind === 'CALENDAR' ? 7 : 10
  return (
    (meets[fault.kind] ?? anyPage).includes(asked.kind) &&
    (request === undefined || request === asked.kind) &&
    (date === undefined || date.slice(0, length) === asked.date?.slice(0, length)) &&
    (area === undefined || area === asked.area) &&
    (page === undefined || page === asked.page)
  )
}
