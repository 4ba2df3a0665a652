import type { ObjectRef } from '@pothos/core'
import type { InputIssue as Issue, Outcome, ConflictReason as Reason } from '../engine/outcome.ts'
import { builder } from './builder.ts'
import { ConflictReason } from './enums.ts'
import { ScrapingJob } from './refs.ts'

type Types = typeof builder.$inferSchemaTypes

/** A refusal as a member of a mutation's union. */
class Refusal {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

class InvalidInput extends Refusal {
  readonly issues: Issue[]
  constructor(issues: Issue[]) {
    super(issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '))
    this.issues = issues
  }
}

class NotFound extends Refusal {
  readonly id: string | null
  constructor(message: string, id: string | null) {
    super(message)
    this.id = id
  }
}

class Conflict extends Refusal {
  readonly reason: Reason
  readonly jobId: string | null
  constructor(message: string, reason: Reason, jobId: string | null) {
    super(message)
    this.reason = reason
    this.jobId = jobId
  }
}

const ErrorInterface = builder.interfaceRef<Refusal>('Error').implement({
  description: 'Why a mutation did nothing.',
  fields: (t) => ({ message: t.exposeString('message', { description: 'For people.' }) }),
})

const InputIssue = builder.objectRef<Issue>('InputIssue').implement({
  description: 'One thing that is wrong with an input.',
  fields: (t) => ({
    path: t.exposeStringList('path', { description: 'Where: the field of the input, and what is in it.' }),
    message: t.exposeString('message', { description: 'What it may be.' }),
  }),
})

const members = {
  InvalidInputError: builder.objectType(InvalidInput, {
    name: 'InvalidInputError',
    description: 'The input makes no sense.',
    interfaces: [ErrorInterface],
    fields: (t) => ({
      issues: t.field({
        type: [InputIssue],
        description: 'Everything that is wrong, at once.',
        resolve: (error) => error.issues,
      }),
    }),
  }),
  NotFoundError: builder.objectType(NotFound, {
    name: 'NotFoundError',
    description: 'What the mutation is about is not there.',
    interfaces: [ErrorInterface],
    fields: (t) => ({
      id: t.exposeID('id', { nullable: true, description: 'The id that leads nowhere.' }),
    }),
  }),
  ConflictError: builder.objectType(Conflict, {
    name: 'ConflictError',
    description: 'It cannot be done as things stand.',
    interfaces: [ErrorInterface],
    fields: (t) => ({
      reason: t.expose('reason', { type: ConflictReason, description: 'What stands in the way.' }),
      job: t.field({
        type: ScrapingJob,
        nullable: true,
        description: 'The job that stands in the way.',
        resolve: (error) => error.jobId,
      }),
    }),
  }),
}

type Member = keyof typeof members

/**
 * The union a mutation answers: its success type, or one of the errors. `from` makes a value of it out of what the
 * engine answered; a refusal that the contract does not have for this mutation is a fault of ours.
 */
export function resultType<Value extends object>(
  name: string,
  success: ObjectRef<Types, Value, Value>,
  errors: readonly Member[],
) {
  const type = builder.unionType(name, {
    description: 'What came of it.',
    types: [success, ...errors.map((error) => members[error])] as never,
    resolveType: (value) => {
      if (value instanceof InvalidInput) return 'InvalidInputError'
      if (value instanceof NotFound) return 'NotFoundError'
      return value instanceof Conflict ? 'ConflictError' : success.name
    },
  })
  return { type: type as never, from: (outcome: Outcome<Value>) => valueOf(name, errors, outcome) as never }
}

function valueOf<Value>(name: string, errors: readonly Member[], outcome: Outcome<Value>): Value | Refusal {
  const allow = (error: Member): void => {
    if (!errors.includes(error)) throw new Error(`${name} has no ${error}: ${JSON.stringify(outcome)}`)
  }
  switch (outcome.kind) {
    case 'ok':
      return outcome.value
    case 'invalid':
      allow('InvalidInputError')
      return new InvalidInput(outcome.issues)
    case 'notFound':
      allow('NotFoundError')
      return new NotFound(outcome.message, outcome.id)
    default:
      allow('ConflictError')
      return new Conflict(outcome.message, outcome.reason, outcome.jobId ?? null)
  }
}
