import { apiKeysById, apiKeysOfUsers, revokeApiKey } from '../db/apiKeys.ts'
import type { ApiKeyRow, UserRow } from '../db/tables.ts'
import { allUsers, usersById } from '../db/users.ts'
import type { Role } from '../domain.ts'
import type { Outcome } from '../engine/outcome.ts'
import { createApiKey, createUser, updateUser } from '../engine/people.ts'
import { distinct, inGroups, inOrder } from './batches.ts'
import type { Context } from './context.ts'
import { keyOf } from './globalIds.ts'
import { forbidden, unauthenticated } from './refusals.ts'

export function viewer({ viewer }: Context): UserRow {
  if (!viewer) throw unauthenticated()
  return viewer.user
}

export async function users({ db }: Context): Promise<UserRow[]> {
  return await allUsers(db)
}

export async function loadUsers(ids: readonly string[], { db }: Context): Promise<(UserRow | null)[]> {
  return inOrder(ids, await usersById(db, distinct(ids)), (row) => row.id)
}

/** Keys by id: one's own, or for an ADMIN anybody's; the others are not there. */
export async function loadApiKeys(ids: readonly string[], context: Context): Promise<(ApiKeyRow | null)[]> {
  const rows = await apiKeysById(context.db, distinct(ids))
  return inOrder(
    ids,
    rows.filter((row) => maySeeKeysOf(row.userId, context)),
    (row) => row.id,
  )
}

export async function loadApiKeysOfUsers(userIds: readonly string[], { db }: Context): Promise<ApiKeyRow[][]> {
  return inGroups(userIds, await apiKeysOfUsers(db, distinct(userIds)), (row) => row.userId)
}

/** One's own keys, and for an ADMIN everybody's. */
export function maySeeKeysOf(userId: string, { viewer }: Context): boolean {
  return viewer !== null && (viewer.user.role === 'ADMIN' || viewer.user.id === userId)
}

export async function create(input: { name: string; role: Role }, { db }: Context): Promise<Outcome<UserRow>> {
  return await createUser(db, input)
}

export async function update(
  input: {
    id: string
    name?: string | null | undefined
    role?: Role | null | undefined
    active?: boolean | null | undefined
  },
  { db }: Context,
): Promise<Outcome<UserRow>> {
  const id = keyOf('User', input.id)
  if (id === null) return { kind: 'notFound', id: input.id, message: 'There is no such user.' }
  const outcome = await updateUser(db, { ...input, id })
  return outcome.kind === 'notFound' ? { ...outcome, id: input.id } : outcome
}

/** A key for oneself unless told; for others ADMIN alone, else FORBIDDEN. */
export async function createKey(
  input: { userId?: string | null | undefined; name: string; expiresAt?: Date | null | undefined },
  context: Context,
): Promise<Outcome<{ key: ApiKeyRow; secret: string }>> {
  const own = viewer(context).id
  const userId = input.userId == null ? own : keyOf('User', input.userId)
  if (userId !== own && !maySeeKeysOf(userId ?? '', context)) throw forbidden('Keys of others take the role ADMIN.')
  if (userId === null) return { kind: 'notFound', id: input.userId ?? '', message: 'There is no such user.' }
  const outcome = await createApiKey(context.db, { ...input, userId })
  return outcome.kind === 'notFound' ? { ...outcome, id: input.userId ?? '' } : outcome
}

/** Revokes one's own key, or as ADMIN anybody's. What one may not see is not found. */
export async function revokeKey(id: string, context: Context): Promise<Outcome<ApiKeyRow>> {
  const key = keyOf('ApiKey', id)
  const [seen] = key === null ? [] : await loadApiKeys([key], context)
  const revoked = seen ? await revokeApiKey(context.db, seen.id) : null
  return revoked ? { kind: 'ok', value: revoked } : { kind: 'notFound', id, message: 'There is no such key.' }
}
