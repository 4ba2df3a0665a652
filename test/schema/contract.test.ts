import { readFile } from 'node:fs/promises'
import {
  BreakingChangeType,
  buildSchema,
  findBreakingChanges,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  lexicographicSortSchema,
  printSchema,
} from 'graphql'
import { expect, test } from 'vitest'
import { schema } from '../../src/schema/schema.ts'

const read = async (path: string) => await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')
const contract = buildSchema(await read('contract/schema.graphql'))

/** Of the contract, what is not served. */
const removals = new Set<string>([
  BreakingChangeType.TYPE_REMOVED,
  BreakingChangeType.FIELD_REMOVED,
  BreakingChangeType.ARG_REMOVED,
  BreakingChangeType.VALUE_REMOVED_FROM_ENUM,
  BreakingChangeType.TYPE_REMOVED_FROM_UNION,
])

test('schema.graphql in the root is what is served: node scripts/printSchema.ts', async () => {
  expect(await read('schema.graphql')).toBe(`${printSchema(lexicographicSortSchema(schema))}\n`)
})

test('what is served of the contract has its names, arguments and types', () => {
  const changes = findBreakingChanges(contract, schema)
  expect(changes.filter((change) => !removals.has(change.type)).map((change) => change.description)).toEqual([])
})

test('what is served beyond the contract, which allows for more', () => {
  const added = findBreakingChanges(schema, contract).filter((change) => removals.has(change.type))
  expect(added.map((change) => change.description)).toEqual(['WorkerNode.fault was removed.'])
})

test('all of the contract is served', () => {
  const missing = findBreakingChanges(contract, schema).filter((change) => removals.has(change.type))
  expect(missing.map((change) => change.description)).toEqual([])
})

test('every type, field, argument and enum value is described', () => {
  const types = Object.values(schema.getTypeMap()).filter((type) => !type.name.startsWith('__'))
  const own = types.filter((type) => !['String', 'Int', 'Float', 'Boolean', 'ID'].includes(type.name))
  expect(own.flatMap(undescribed)).toEqual([])
})

function undescribed(type: GraphQLNamedType): string[] {
  const parts: [string, { description?: string | null | undefined }][] = [[type.name, type]]
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      parts.push([`${type.name}.${field.name}`, field])
      for (const arg of field.args) parts.push([`${type.name}.${field.name}(${arg.name})`, arg])
    }
  }
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) parts.push([`${type.name}.${field.name}`, field])
  }
  if (isEnumType(type)) for (const value of type.getValues()) parts.push([`${type.name}.${value.name}`, value])
  if (isUnionType(type)) for (const member of type.getTypes()) parts.push([`${type.name} | ${member.name}`, member])
  return parts.flatMap(([name, part]) => (part.description ? [] : [name]))
}
