import { sql } from 'kysely'
import type { Role } from '../domain.ts'
import type { Database } from './database.ts'
import type { ApiKeyRow, UserRow } from './tables.ts'

/**
 * The key with this hash and its user, if it may be used now: not revoked, not expired, its user active.
 */
export async function usableKey(db: Database, hash: Buffer): Promise<{ key: ApiKeyRow; user: UserRow } | null> {
  const key = await db
    .selectFrom('apiKeys')
    .selectAll()
    .where('hash', '=', hash)
    .where('revokedAt', 'is', null)
    .where((eb) => eb.or([eb('expiresAt', 'is', null), eb('expiresAt', '>', sql<Date>`now()`)]))
    .executeTakeFirst()
  if (!key) return null
  const user = await db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', key.userId)
    .where('active', '=', true)
    .executeTakeFirst()
  return user ? { key, user } : null
}

/** Of these keys, the ones that may still be used, each with the role of its user. */
export async function stillUsable(db: Database, ids: readonly string[]): Promise<Map<string, Role>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('apiKeys')
    .innerJoin('users', 'users.id', 'apiKeys.userId')
    .select(['apiKeys.id', 'users.role'])
    .where('apiKeys.id', 'in', [...ids])
    .where('apiKeys.revokedAt', 'is', null)
    .where((eb) => eb.or([eb('apiKeys.expiresAt', 'is', null), eb('apiKeys.expiresAt', '>', sql<Date>`now()`)]))
    .where('users.active', '=', true)
    .execute()
  return new Map(rows.map((row) => [row.id, row.role]))
}

/** Notes that a key was used, at most once a minute. */
export async function noteKeyUse(db: Database, id: string): Promise<void> {
  await db
    .updateTable('apiKeys')
    .set({ lastUsedAt: sql<Date>`now()` })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('lastUsedAt', 'is', null), eb('lastUsedAt', '<', sql<Date>`now() - interval '1 minute'`)]))
    .execute()
}

export async function insertApiKey(
  db: Database,
  values: { userId: string; name: string; prefix: string; hash: Buffer; expiresAt: Date | null },
): Promise<ApiKeyRow> {
  return await db.insertInto('apiKeys').values(values).returningAll().executeTakeFirstOrThrow()
}

export async function apiKeysById(db: Database, ids: readonly string[]): Promise<ApiKeyRow[]> {
  return await db
    .selectFrom('apiKeys')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

/** The keys of the users, newest first. */
export async function apiKeysOfUsers(db: Database, userIds: readonly string[]): Promise<ApiKeyRow[]> {
  return await db
    .selectFrom('apiKeys')
    .selectAll()
    .where('userId', 'in', [...userIds])
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .execute()
}

/** Revokes a key; one that is revoked already keeps its time. Null when there is none. */
export async function revokeApiKey(db: Database, id: string): Promise<ApiKeyRow | null> {
  const row = await db
    .updateTable('apiKeys')
    .set({ revokedAt: sql<Date>`coalesce(revoked_at, now())` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst()
  return row ?? null
}
