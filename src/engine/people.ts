import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { insertApiKey, noteKeyUse, usableKey } from '../db/apiKeys.ts'
import type { Database } from '../db/database.ts'
import type { ApiKeyRow, UserRow } from '../db/tables.ts'
import { insertUser, updateUser as storeUser, userByName, usersById } from '../db/users.ts'
import type { Role } from '../domain.ts'
import type { InputIssue, Outcome } from './outcome.ts'

/** Who a key belongs to; `apiKeyId` is null for GAVEL_ADMIN_KEY, which is no row. */
export interface SignedIn {
  user: UserRow
  apiKeyId: string | null
  /** When the key stops being good, if it ever does. */
  expiresAt: Date | null
}

/** The user that GAVEL_ADMIN_KEY signs in; made when it is not there. */
export const builtInUser = 'admin'

const prefixLength = 12

/** Makes a user. Names are unique without case: ALREADY_EXISTS. */
export async function createUser(db: Database, input: { name: string; role: Role }): Promise<Outcome<UserRow>> {
  const issues = nameIssues(input.name)
  if (issues.length > 0) return { kind: 'invalid', issues }
  const user = await insertUser(db, input.name.trim(), input.role)
  if (user) return { kind: 'ok', value: user }
  return { kind: 'conflict', reason: 'ALREADY_EXISTS', message: `There is a user named ${input.name.trim()}.` }
}

/**
 * Changes a user; what is left out, or null, stays. Their keys follow at once: those of a user that is not active are
 * no good. A name that another has: ALREADY_EXISTS.
 */
export async function updateUser(
  db: Database,
  input: {
    id: string
    name?: string | null | undefined
    role?: Role | null | undefined
    active?: boolean | null | undefined
  },
): Promise<Outcome<UserRow>> {
  const [old] = await usersById(db, [input.id])
  if (!old) return { kind: 'notFound', id: input.id, message: 'There is no such user.' }
  const name = (input.name ?? old.name).trim()
  const issues = nameIssues(name)
  if (issues.length > 0) return { kind: 'invalid', issues }
  const user = await storeUser(db, old.id, {
    ...(input.name == null ? {} : { name }),
    ...(input.role == null ? {} : { role: input.role }),
    active: input.active ?? old.active,
  })
  if (user === 'taken') {
    return { kind: 'conflict', reason: 'ALREADY_EXISTS', message: `There is a user named ${name}.` }
  }
  return user ? { kind: 'ok', value: user } : { kind: 'notFound', id: input.id, message: 'There is no such user.' }
}

/**
 * Makes a key for a user. The secret is in this answer and nowhere else: the database holds its SHA-256 and its first
 * characters.
 */
export async function createApiKey(
  db: Database,
  input: { userId: string; name: string; expiresAt?: Date | null | undefined },
): Promise<Outcome<{ key: ApiKeyRow; secret: string }>> {
  const issues = nameIssues(input.name)
  if (input.expiresAt && input.expiresAt.getTime() <= Date.now()) {
    issues.push({ path: ['expiresAt'], message: 'must be in the future' })
  }
  if (issues.length > 0) return { kind: 'invalid', issues }
  const [user] = await usersById(db, [input.userId])
  if (!user) return { kind: 'notFound', id: input.userId, message: 'There is no such user.' }
  const secret = `gavel_${randomBytes(32).toString('base64url')}`
  const key = await insertApiKey(db, {
    userId: user.id,
    name: input.name.trim(),
    prefix: secret.slice(0, prefixLength),
    hash: hashOf(secret),
    expiresAt: input.expiresAt ?? null,
  })
  return { kind: 'ok', value: { key, secret } }
}

/** Makes the built-in user when it is not there. */
export async function ensureBuiltInUser(db: Database): Promise<UserRow> {
  const find = async () => await userByName(db, builtInUser)
  const user = (await find()) ?? (await insertUser(db, builtInUser, 'ADMIN')) ?? (await find())
  if (!user) throw new Error(`the built-in user ${builtInUser} could not be made`)
  return user
}

/** Who a secret belongs to; null when it is unknown, revoked or expired, or its user is not active. */
export async function signIn(db: Database, secret: string, adminKey: string | null): Promise<SignedIn | null> {
  const hash = hashOf(secret)
  if (adminKey !== null && timingSafeEqual(hash, hashOf(adminKey))) {
    const user = await ensureBuiltInUser(db)
    return user.active ? { user: { ...user, role: 'ADMIN' }, apiKeyId: null, expiresAt: null } : null
  }
  const found = await usableKey(db, hash)
  if (!found || !timingSafeEqual(found.key.hash, hash)) return null
  if (found.key.lastUsedAt === null || found.key.lastUsedAt.getTime() < Date.now() - 60_000) {
    await noteKeyUse(db, found.key.id)
  }
  return { user: found.user, apiKeyId: found.key.id, expiresAt: found.key.expiresAt }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

function nameIssues(name: string): InputIssue[] {
  const length = name.trim().length
  if (length === 0) return [{ path: ['name'], message: 'must not be empty' }]
  if (length > 100) return [{ path: ['name'], message: 'must have at most 100 characters' }]
  if (name.includes('\0')) return [{ path: ['name'], message: 'must not contain a NUL character' }]
  return []
}
