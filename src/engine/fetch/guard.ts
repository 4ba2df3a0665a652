import { lookup } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { ScrapeError } from '../errors.ts'

const longestUrl = 2048
const globalUnicast = ipaddr.parse('2000::')

/** Decides which addresses may be fetched: public ones, and the named pairs. */
export interface Guard {
  /**
   * The parsed URL. Throws ScrapeError INTERNAL for anything but http and https, for credentials, for more than 2048
   * characters and for a literal address that is not public.
   */
  checkUrl(url: string | URL): URL
  /**
   * What a connection to this host and port is to be opened with: net.connect, tls.connect and undici take it. A
   * literal address is judged here, since `lookup` is not asked for one; a name is judged when it is resolved, by
   * every address it resolves to. Throws ScrapeError INTERNAL.
   */
  connectOptions(host: string, port: number): { lookup?: LookupFunction }
}

/**
 * `allow`: `host:port` pairs (an IPv6 address in brackets) that may be fetched although their address is private.
 * `resolve`: the system's resolver unless told.
 */
export function createGuard(options: { allow: readonly string[]; resolve?: LookupFunction }): Guard {
  const publicLookup = guarded(options.resolve ?? lookup)
  const allowed = new Set(options.allow.map((pair) => pair.toLowerCase()))

  return {
    checkUrl(given) {
      const url = parse(given)
      const reason = urlReason(url) ?? (allowed.has(hostPort(url)) ? null : addressReason(url.hostname))
      if (reason !== null) throw refused(reason, shown(given))
      return url
    },
    connectOptions(host, port) {
      const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
      if (allowed.has(`${bare.includes(':') ? `[${bare}]` : bare}:${port}`)) return {}
      const reason = addressReason(bare)
      if (reason !== null) throw refused(reason, `${host}:${port}`)
      return { lookup: publicLookup }
    },
  }
}

/**
 * Why this URL may not be fetched, or null: told by the text alone, without DNS, for a first answer when a URL is
 * saved. Names are judged again when they are connected to.
 */
export function privateHostReason(url: string, allow: readonly string[]): string | null {
  if (!URL.canParse(url)) return 'is not a URL'
  const parsed = new URL(url)
  const reason = urlReason(parsed)
  if (reason !== null) return reason
  if (allow.some((pair) => pair.toLowerCase() === hostPort(parsed))) return null
  if (/(^|\.)localhost\.?$/.test(parsed.hostname)) return 'names this machine'
  return addressReason(parsed.hostname)
}

/** `host:port` of a URL, the port spelled out: the key of politeness and of the allow list. */
export function hostPort(url: URL): string {
  return `${url.hostname}:${url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : url.port}`
}

function parse(given: string | URL): URL {
  try {
    return new URL(given)
  } catch (error) {
    throw new ScrapeError('INTERNAL', 'not a URL', { url: shown(given), cause: error })
  }
}

function urlReason(url: URL): string | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'is neither http nor https'
  if (url.username !== '' || url.password !== '') return 'carries credentials'
  if (url.href.length > longestUrl) return `has more than ${longestUrl} characters`
  return null
}

/** Why an address is not public; null for a public one and for a name. */
function addressReason(hostname: string): string | null {
  const text = hostname.replace(/^\[|\]$/g, '')
  if (isIP(text) === 0) return null
  const kind = rangeOf(text)
  return kind === 'unicast' ? null : `has an address that is not public (${kind})`
}

function rangeOf(text: string): string {
  const address = ipaddr.parse(text)
  if (address.kind() === 'ipv4') return address.range()
  // What the Internet routes is within 2000::/3 (RFC 4291, 2.4). Outside of it are the forms that carry an IPv4
  // address: mapped, compatible (::/96) and translated (64:ff9b::/96).
  if (!address.match([globalUnicast, 3])) return 'not global'
  return address.range()
}

/** Refuses a name when any of its addresses is not public: one good answer hides no bad one. */
function guarded(resolve: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, answer) => {
      if (error) return callback(error, [])
      const addresses = typeof answer === 'string' ? [] : answer
      const reason = addresses.map((one) => addressReason(one.address)).find((one) => one !== null)
      if (reason !== undefined) return callback(refused(reason, hostname), [])
      const first = addresses[0]
      if (first === undefined) return callback(new Error(`${hostname} has no address`), [])
      if (options.all === true) return callback(null, addresses)
      return callback(null, first.address, first.family)
    })
  }
}

function refused(reason: string, what: string): ScrapeError {
  return new ScrapeError('INTERNAL', `${what} ${reason}`, { url: what })
}

/** Short enough for a message, and without credentials. */
function shown(url: string | URL): string {
  return String(url)
    .replace(/\/\/[^/@]*@/, '//')
    .slice(0, 200)
}
