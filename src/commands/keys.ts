import { type Command, InvalidArgumentError } from 'commander'
import { readConfig } from '../config.ts'
import { apiKeysOfUsers, revokeApiKey } from '../db/apiKeys.ts'
import type { Database } from '../db/database.ts'
import { allUsers, userByName } from '../db/users.ts'
import { type Role, roles } from '../domain.ts'
import { createApiKey, createUser } from '../engine/people.ts'
import { createLogger } from '../log.ts'
import { formatTable } from '../terminal/table.ts'
import { openRuntime } from './runtime.ts'

export function registerKeys(program: Command): void {
  const keys = program.command('keys').description('API keys')
  keys
    .command('create')
    .description('make a key, and its user where there is none; the secret is printed once')
    .requiredOption('--name <name>', 'whose key it is')
    .requiredOption('--role <role>', `what its user may do: ${roles.join(', ').toLowerCase()}`, readRole)
    .action(async ({ name, role }: { name: string; role: Role }) => {
      process.exitCode = await withDatabase((db) => create(db, name, role))
    })
  keys
    .command('list')
    .description('every key with its user, never the secret')
    .action(async () => {
      process.exitCode = await withDatabase(list)
    })
  keys
    .command('revoke')
    .description('end a key; its open sockets are closed within 60 s')
    .argument('<id>', 'the key, as `keys list` shows it')
    .action(async (id: string) => {
      process.exitCode = await withDatabase((db) => revoke(db, id))
    })
}

async function create(db: Database, name: string, role: Role): Promise<number> {
  const known = await userByName(db, name.trim())
  if (known && known.role !== role) {
    return fail(
      `user ${known.name} is ${known.role.toLowerCase()} and not ${role.toLowerCase()}; a key has its user's role`,
    )
  }
  if (known && !known.active) return fail(`user ${known.name} is not active: a key of theirs opens nothing`)
  const user = known ?? (await made(db, name, role))
  if (typeof user === 'string') return fail(user)
  const created = await createApiKey(db, { userId: user.id, name: user.name })
  if (created.kind !== 'ok') throw new Error(`no key for user ${user.id}: ${created.kind}`)
  console.log(created.value.secret)
  console.error(`key ${created.value.key.id} of ${user.name} (${user.role.toLowerCase()}); it is not shown again`)
  return 0
}

async function made(db: Database, name: string, role: Role) {
  const created = await createUser(db, { name, role })
  if (created.kind === 'ok') return created.value
  return created.kind === 'invalid'
    ? `the name ${created.issues.map((issue) => issue.message).join(', ')}`
    : created.message
}

async function list(db: Database): Promise<number> {
  const users = await allUsers(db)
  const keys =
    users.length === 0
      ? []
      : await apiKeysOfUsers(
          db,
          users.map((user) => user.id),
        )
  const owners = new Map(users.map((user) => [user.id, user]))
  const state = (key: (typeof keys)[number]) => {
    if (key.revokedAt) return `revoked ${key.revokedAt.toISOString()}`
    if (key.expiresAt && key.expiresAt.getTime() <= Date.now()) return `expired ${key.expiresAt.toISOString()}`
    return owners.get(key.userId)?.active ? 'active' : 'user inactive'
  }
  for (const line of formatTable(keys, [
    { title: 'id', value: (key) => key.id },
    { title: 'user', value: (key) => owners.get(key.userId)?.name ?? '' },
    { title: 'role', value: (key) => owners.get(key.userId)?.role.toLowerCase() ?? '' },
    { title: 'key', value: (key) => `${key.prefix}…` },
    { title: 'created', value: (key) => key.createdAt.toISOString() },
    { title: 'last used', value: (key) => key.lastUsedAt?.toISOString() ?? 'never' },
    { title: 'state', value: state },
  ])) {
    console.log(line)
  }
  return 0
}

async function revoke(db: Database, id: string): Promise<number> {
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
  const key = uuid.test(id) ? await revokeApiKey(db, id) : null
  if (!key) return fail(`there is no key ${id}`)
  console.log(`revoked ${key.prefix}…`)
  return 0
}

function readRole(text: string): Role {
  const role = roles.find((one) => one === text.toUpperCase())
  if (!role) throw new InvalidArgumentError(`It must be one of ${roles.join(', ').toLowerCase()}.`)
  return role
}

async function withDatabase(work: (db: Database) => Promise<number>): Promise<number> {
  const config = readConfig()
  const log = createLogger(config.logLevel, 'gavel')
  const runtime = await openRuntime(config, log, { name: 'gavel keys', max: 2, migrated: true })
  try {
    return await work(runtime.db)
  } finally {
    await runtime.close()
  }
}

function fail(message: string): number {
  console.error(`gavel keys: ${message}`)
  return 1
}
