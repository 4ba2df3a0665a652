import type { ApiKeyRow, UserRow } from '../db/tables.ts'
import {
  create,
  createKey,
  loadApiKeysOfUsers,
  maySeeKeysOf,
  revokeKey,
  update,
  users,
  viewer,
} from '../resolvers/users.ts'
import { builder } from './builder.ts'
import { listCost, unremembered } from './connection.ts'
import { Role } from './enums.ts'
import { resultType } from './errors.ts'
import { ApiKey, User } from './refs.ts'

User.implement({
  description: 'Somebody, or something, that uses the API.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Their name, unique without case.' }),
    role: t.expose('role', { type: Role, description: 'What they may do.' }),
    active: t.exposeBoolean('active', { description: 'Whether their keys are good.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When they were made.' }),
    apiKeys: t.loadableList({
      type: ApiKey,
      description: "Their keys, newest first. One's own, or with ADMIN anybody's.",
      authScopes: (user, _args, context) => maySeeKeysOf(user.id, context),
      complexity: listCost(4),
      loaderOptions: unremembered,
      load: loadApiKeysOfUsers,
      resolve: (row) => row.id,
    }),
  }),
})

ApiKey.implement({
  description: 'A key to the API; its secret was shown once.',
  fields: (t) => ({
    user: t.field({ type: User, description: 'Whose it is: it has their role.', resolve: (row) => row.userId }),
    name: t.exposeString('name', { description: 'What it is for.' }),
    prefix: t.exposeString('prefix', { description: 'Its first characters.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute.',
    }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'When it stops being good.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked.' }),
  }),
})

builder.queryFields((t) => ({
  viewer: t.field({
    type: User,
    description: 'Whose key this is.',
    resolve: (_root, _args, context) => viewer(context),
  }),
  users: t.field({
    type: [User],
    description: 'Every user, by name. Takes ADMIN.',
    authScopes: { admin: true },
    complexity: listCost(100),
    resolve: async (_root, _args, context) => await users(context),
  }),
}))

const CreateUserInput = builder.inputType('CreateUserInput', {
  description: 'A user to make.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Their name, unique without case.' }),
    role: t.field({ type: Role, required: true, description: 'What they may do.' }),
  }),
})

const UpdateUserInput = builder.inputType('UpdateUserInput', {
  description: 'A user to change. What is left out, or null, stays.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'Who.' }),
    name: t.string({ description: 'Their name, unique without case.' }),
    role: t.field({ type: Role, description: 'What they may do.' }),
    active: t.boolean({ description: 'Whether their keys are good.' }),
  }),
})

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A key to make.',
  fields: (t) => ({
    userId: t.id({ description: 'Whose it is: oneself unless told.' }),
    name: t.string({ required: true, description: 'What it is for.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it stops being good; never unless told.' }),
  }),
})

const CreateUserSuccess = builder.objectRef<UserRow>('CreateUserSuccess').implement({
  description: 'The user is made.',
  fields: (t) => ({ user: t.field({ type: User, description: 'The new user.', resolve: (row) => row }) }),
})

const UpdateUserSuccess = builder.objectRef<UserRow>('UpdateUserSuccess').implement({
  description: 'The user is changed.',
  fields: (t) => ({ user: t.field({ type: User, description: 'As they stand now.', resolve: (row) => row }) }),
})

const CreateApiKeySuccess = builder.objectRef<{ key: ApiKeyRow; secret: string }>('CreateApiKeySuccess').implement({
  description: 'The key is made.',
  fields: (t) => ({
    apiKey: t.field({ type: ApiKey, description: 'The new key.', resolve: (made) => made.key }),
    secret: t.exposeString('secret', { description: 'The key itself: shown here and never again.' }),
  }),
})

const RevokeApiKeySuccess = builder.objectRef<ApiKeyRow>('RevokeApiKeySuccess').implement({
  description: 'The key is revoked; its open sockets are closed within 60 s.',
  fields: (t) => ({ apiKey: t.field({ type: ApiKey, description: 'The key.', resolve: (row) => row }) }),
})

const CreateUserResult = resultType('CreateUserResult', CreateUserSuccess, ['InvalidInputError', 'ConflictError'])
const UpdateUserResult = resultType('UpdateUserResult', UpdateUserSuccess, [
  'InvalidInputError',
  'NotFoundError',
  'ConflictError',
])
const CreateApiKeyResult = resultType('CreateApiKeyResult', CreateApiKeySuccess, ['InvalidInputError', 'NotFoundError'])
const RevokeApiKeyResult = resultType('RevokeApiKeyResult', RevokeApiKeySuccess, ['NotFoundError'])

builder.mutationFields((t) => ({
  createUser: t.field({
    type: CreateUserResult.type,
    description: 'Makes a user. Takes ADMIN.',
    authScopes: { admin: true },
    args: { input: t.arg({ type: CreateUserInput, required: true, description: 'Who.' }) },
    resolve: async (_root, { input }, context) => CreateUserResult.from(await create(input, context)),
  }),
  updateUser: t.field({
    type: UpdateUserResult.type,
    description:
      'Changes a user. Open sockets of one who has another role or is no longer active are closed within 60 s. Takes ADMIN.',
    authScopes: { admin: true },
    args: { input: t.arg({ type: UpdateUserInput, required: true, description: 'Who, and what of them.' }) },
    resolve: async (_root, { input }, context) => UpdateUserResult.from(await update(input, context)),
  }),
  createApiKey: t.field({
    type: CreateApiKeyResult.type,
    description: 'Makes a key for oneself, or with ADMIN for anybody.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'Whose, and what for.' }) },
    resolve: async (_root, { input }, context) => CreateApiKeyResult.from(await createKey(input, context)),
  }),
  revokeApiKey: t.field({
    type: RevokeApiKeyResult.type,
    description: "Revokes one's own key, or with ADMIN anybody's.",
    args: { id: t.arg.id({ required: true, description: 'The key.' }) },
    resolve: async (_root, { id }, context) => RevokeApiKeyResult.from(await revokeKey(id, context)),
  }),
}))
