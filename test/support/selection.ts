import {
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isObjectType,
} from 'graphql'

export interface Selecting {
  schema: GraphQLSchema
  /** `Type.field`s that are left out. */
  without: ReadonlySet<string>
  /** The arguments of those that need some, in parentheses. */
  args: Readonly<Record<string, string>>
  /** Gets every `Type.field` that was selected. */
  seen: Set<string>
}

/**
 * Every field of a type, with everything below it, as a selection: of what has a global id only its name, since that is
 * walked by its id. Items of pages are asked for one at a time.
 */
export function everyField(type: GraphQLObjectType, selecting: Selecting): string {
  const fields = Object.values(type.getFields()).filter(({ name }) => !selecting.without.has(`${type.name}.${name}`))
  return `{ __typename ${fields.map((field) => selectionOf(type, field, selecting)).join(' ')} }`
}

function selectionOf(type: GraphQLObjectType, field: GraphQLField<unknown, unknown>, selecting: Selecting): string {
  const name = `${type.name}.${field.name}`
  selecting.seen.add(name)
  const paged = field.args.some((arg) => arg.name === 'first') ? '(first: 1)' : ''
  return `${field.name}${selecting.args[name] ?? paged}${below(field.type, selecting)}`
}

/** What is selected below a field of this type. */
export function below(type: GraphQLOutputType, selecting: Selecting): string {
  const named = getNamedType(type)
  if (!isCompositeType(named)) return ''
  return isObjectType(named) && !isNode(named) ? ` ${everyField(named, selecting)}` : ' { __typename }'
}

/** Whether things of this type are read by their global ids. */
export const isNode = (type: GraphQLObjectType): boolean => type.getInterfaces().some(({ name }) => name === 'Node')

/** All types of a schema that can be selected from, but for those of introspection. */
export function objectTypes(schema: GraphQLSchema): GraphQLObjectType[] {
  return Object.values(schema.getTypeMap())
    .filter((type) => isObjectType(type))
    .filter(({ name }) => !name.startsWith('__'))
}
