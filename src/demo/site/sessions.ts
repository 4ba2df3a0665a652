import { randomBytes } from 'node:crypto'
import type { CalendarDate } from '../../domain.ts'
import type { Area } from './types.ts'

/** What the server remembers between requests: one day at a time, and where each of its areas is turned to. */
export interface Session {
  id: string
  token: string
  /** Bound by the last PREVIEW; null: cold. */
  date: CalendarDate | null
  pages: Record<Area, number>
}

/** The newest of them are kept; a session that fell out is cold. */
const mostSessions = 5000

/** The sessions of one site. A client is known by `cfid` and `cftoken`, and only when it also sends `AWSALB`. */
export class Sessions {
  readonly #byId = new Map<string, Session>()
  #count = 0

  find(cookieHeader: string | undefined): Session | null {
    const cookies = readCookies(cookieHeader ?? '')
    const session = this.#byId.get(cookies.get('cfid') ?? '')
    return session && cookies.get('cftoken') === session.token && cookies.has('AWSALB') ? session : null
  }

  open(): Session {
    this.#count += 1
    const session: Session = {
      id: String(4_100_000 + this.#count),
      token: `${randomBytes(8).toString('hex')}-${randomBytes(16).toString('hex').toUpperCase()}`,
      date: null,
      pages: { W: 1, R: 1, C: 1 },
    }
    this.#byId.set(session.id, session)
    const [oldest] = this.#byId.keys()
    if (this.#byId.size > mostSessions && oldest !== undefined) this.#byId.delete(oldest)
    return session
  }
}

/** Binds the session to a day, every area at its first page. */
export function bind(session: Session, date: CalendarDate): void {
  session.date = date
  session.pages = { W: 1, R: 1, C: 1 }
}

/** The Set-Cookie lines of a page; the load balancer's cookie is new with every answer. */
export function cookieLines(session: Session): string[] {
  const longLived = 'Path=/; Expires=Sat, 12-Aug-2056 08:00:00 GMT'
  const balancer = randomBytes(48).toString('base64')
  return [
    `cfid=${session.id}; ${longLived}; HttpOnly`,
    `cftoken=${session.token}; ${longLived}; HttpOnly`,
    `CF_CLIENT_PALMETTO_HC=${session.id}; ${longLived}`,
    `AWSALB=${balancer}; Max-Age=604800; Path=/`,
    `AWSALBCORS=${balancer}; Max-Age=604800; Path=/; SameSite=None; Secure`,
  ]
}

function readCookies(header: string): Map<string, string> {
  const pairs = header.split(';').map((pair) => pair.trim().split('='))
  return new Map(pairs.map(([name = '', ...value]) => [name, value.join('=')]))
}
