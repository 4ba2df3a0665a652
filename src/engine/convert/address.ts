import { stateCodes } from './states.ts'

/** The parts of a property's address. */
export interface Address {
  propertyAddress: string | null
  city: string | null
  /** As printed; null where the address prints none. */
  stateCode: string | null
  /** Five digits, or five and four. */
  zip: string | null
}

/**
 * Reads the lines of an address: the first, and the lines that continue it. The last continuing line that reads
 * `city[, ST][-] zip` gives city, state and zip; all others together are the property address, joined with `, `.
 *
 * Sites also print the city line in the place of the first (`LAKELAND, FL- 33801`), or the zip glued to its end
 * (`77 CEDAR RD 33801`): where no line continues with a city, these give what they hold, and stay the address.
 */
export function parseAddress(lines: readonly string[]): Address {
  // Some clerks' entries end in stray backticks.
  const tidy = lines.map((line) => line.replaceAll('`', '').replace(/\s+/g, ' ').trim())
  const place = tidy.findLastIndex((line, i) => i > 0 && parseCityLine(line) !== null)
  const street = tidy.filter((line, i) => i !== place && line !== '').join(', ') || null
  const first = tidy[0] ?? ''
  const city = place > 0 ? parseCityLine(tidy[place] ?? '') : (commaCityLine(first) ?? gluedZip(first))
  return {
    propertyAddress: street,
    city: city?.city ?? null,
    stateCode: city?.stateCode ?? null,
    zip: city?.zip ?? null,
  }
}

type Place = Omit<Address, 'propertyAddress'>

/** A line such as `MIAMI, FL- 33185`, `HOLIDAY, 34691`, `DAYTON , 45404` or `PALM HARBOR 34685-1307`; else null. */
export function parseCityLine(line: string): Place | null {
  return commaCityLine(line) ?? plainCityLine(line)
}

/**
 * With a comma: a state, a number, or both must follow. A zip of the wrong length (`1317`, `334001`) is none, but the
 * line is a city's all the same.
 */
function commaCityLine(line: string): Place | null {
  const found = /^(?<city>[^,\d]*?)\s*,\s*(?:(?<state>[A-Za-z]{2})\b)?\s*-?\s*(?<zip>\d[\d-]*)?\s*$/.exec(line)?.groups
  if (found === undefined) return null
  const state = knownState(found['state'])
  if (found['state'] !== undefined && state === null) return null
  if (/^(apt|unit|ste|suite|lot|bldg)\b/i.test(found['city'] ?? '')) return null
  if (state === null && found['zip'] === undefined) return null
  return { city: found['city'] || null, stateCode: state, zip: readZip(found['zip'] ?? '') }
}

/** Without a comma the zip must be whole. */
function plainCityLine(line: string): Place | null {
  const found = /^(?<city>[A-Za-z][A-Za-z .'-]*?)\s*(?<zip>\d{9}|\d{5}(?:-\d{4})?)$/.exec(line)?.groups
  const name = found?.['city'] ?? ''
  if (found === undefined || numbered.test(name)) return null
  const letters = /(?:^|\s)([A-Za-z]{2})\s*-?$/.exec(name)
  const state = knownState(letters?.[1])
  const city = state === null ? name : name.slice(0, letters?.index)
  return { city: city || null, stateCode: state, zip: readZip(found['zip'] ?? '') }
}

/** The zip at the end of a street line that begins with a house number. */
function gluedZip(line: string): Place | null {
  const [, before = '', zip = ''] = /\b([A-Za-z]+)\.? (\d{5}(?:-\d{4})?)$/.exec(line) ?? []
  if (!/^\d/.test(line) || zip === '' || numbered.test(before)) return null
  return { city: null, stateCode: null, zip: readZip(zip) }
}

/** Ends in a word whose number is a unit's, a lot's or a road's, not a zip. */
const numbered =
  /\b(apt|unit|ste|suite|lot|bldg|building|rm|room|box|blk|block|hwy|highway|route|rte|cr|sr|us|no|dist|tract)\.?$/i

/** The letters of a state in upper case; null for others and for none. */
export const knownState = (letters: string | null | undefined): string | null => {
  const code = letters?.toUpperCase()
  return code !== undefined && stateCodes.has(code) ? code : null
}

/** `441050000` is a zip of five that a county padded to nine. */
export function readZip(text: string): string | null {
  const found = /^(\d{5})(?:-?(\d{4}))?$/.exec(text)
  if (found === null || found[1] === '00000') return null
  return found[2] === undefined || found[2] === '0000' ? (found[1] ?? null) : `${found[1]}-${found[2]}`
}
