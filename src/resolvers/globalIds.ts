import type { InputIssue } from '../engine/outcome.ts'
import { badUserInput } from './refusals.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The types that have global ids, with the form of their keys. */
const keyForms = {
  State: /^[A-Z]{2}$/,
  County: /^\d{5}$/,
  CountyScrapeUrl: uuid,
  ScrapingJob: uuid,
  ScrapeDay: uuid,
  JobExecutionLog: uuid,
  JobError: uuid,
  JobBatch: uuid,
  Prospect: uuid,
  Listing: uuid,
  ProspectChange: /^\d{1,15}$/,
  User: uuid,
  ApiKey: uuid,
  Schedule: uuid,
  Webhook: uuid,
  WebhookDelivery: uuid,
} as const

export type NodeType = keyof typeof keyForms

export { globalId as encodeId } from '../domain.ts'

/** The type and key of a global id; null for what is none. */
export function decodeId(id: string): { typename: NodeType; id: string } | null {
  const text = Buffer.from(id, 'base64url').toString()
  const colon = text.indexOf(':')
  const typename = text.slice(0, colon)
  const key = text.slice(colon + 1)
  if (!Object.hasOwn(keyForms, typename)) return null
  return keyForms[typename as NodeType].test(key) ? { typename: typename as NodeType, id: key } : null
}

/** The key of an id of this type; null for any other text. */
export function keyOf(type: NodeType, id: string): string | null {
  const decoded = decodeId(id)
  return decoded?.typename === type ? decoded.id : null
}

/** The keys of ids in an argument; throws BAD_USER_INPUT, naming each that is not an id of this type. */
export function keysOf(type: NodeType, ids: readonly string[], path: readonly string[]): string[] {
  const keys = ids.map((id) => keyOf(type, id))
  const issues = keys.flatMap((key, i): InputIssue[] =>
    key === null ? [{ path: [...path, String(i)], message: `is not the id of a ${type}` }] : [],
  )
  if (issues.length > 0) throw badUserInput(issues)
  return keys.filter((key) => key !== null)
}

/** The same for one id. */
export function oneKeyOf(type: NodeType, id: string, path: readonly string[]): string {
  const key = keyOf(type, id)
  if (key === null) throw badUserInput([{ path: [...path], message: `is not the id of a ${type}` }])
  return key
}
