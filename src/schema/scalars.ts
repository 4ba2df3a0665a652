import { GraphQLError, Kind, type ValueNode, valueFromASTUntyped } from 'graphql'
import { builder } from './builder.ts'

const refuse = (what: string): GraphQLError =>
  new GraphQLError(what, { extensions: { code: 'BAD_USER_INPUT', issues: [{ path: [], message: what }] } })

/** A scalar that is written as a string, or refused with one sentence. */
function textScalar<T>(parse: (text: string) => T | null, sentence: string) {
  const parseValue = (value: unknown): T => {
    const parsed = typeof value === 'string' ? parse(value) : null
    if (parsed === null) throw refuse(sentence)
    return parsed
  }
  const parseLiteral = (node: ValueNode): T => parseValue(node.kind === Kind.STRING ? node.value : null)
  return { parseValue, parseLiteral }
}

builder.scalarType('Date', {
  description: 'A calendar date, ISO 8601, without a time zone: 2026-03-05.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  serialize: (date) => date,
  ...textScalar(calendarDate, 'A Date must be a date of the calendar such as 2026-03-05.'),
})

builder.scalarType('DateTime', {
  description: 'An instant, RFC 3339, answered in UTC with milliseconds: 2026-03-05T14:00:00.000Z.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6',
  serialize: (at) => at.toISOString(),
  ...textScalar(instant, 'A DateTime must be an instant with its offset such as 2026-03-05T14:00:00.000Z.'),
})

builder.scalarType('Decimal', {
  description: 'An exact decimal as a string: "219123.16". Amounts are US dollars.',
  serialize: (decimal) => decimal,
  ...textScalar(
    (text) => (/^-?\d{1,12}(\.\d{1,2})?$/.test(text) ? text : null),
    'A Decimal must be a string such as "219123.16", with at most 12 digits before and 2 after the point.',
  ),
})

builder.scalarType('URL', {
  description: 'An absolute URL.',
  specifiedByURL: 'https://url.spec.whatwg.org/',
  serialize: (url) => url,
  ...textScalar(
    (text) => (text.length <= 2048 && URL.canParse(text) ? text : null),
    'A URL must be absolute and have at most 2048 characters.',
  ),
})

builder.scalarType('JSON', {
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
})

function calendarDate(text: string): string | null {
  if (!/^(?!0000)\d{4}-\d{2}-\d{2}$/.test(text)) return null
  const at = new Date(`${text}T00:00:00.000Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text) ? text : null
}

function instant(text: string): Date | null {
  const form = /^(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i
  const date = form.exec(text)?.[1]
  if (date === undefined || calendarDate(date) === null) return null
  const at = new Date(text)
  return Number.isNaN(at.getTime()) ? null : at
}
