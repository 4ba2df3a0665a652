import { complexityFromQuery } from '@pothos/plugin-complexity'
import { type ExecutionArgs, GraphQLError, getOperationAST, Kind } from 'graphql'
import type { Plugin } from 'graphql-yoga'

/**
 * Refuses operations that could return more rows than `most` before anything of them runs, subscriptions included
 * (Pothos' own check comes with each event of one). What fields cost stands with the fields.
 */
export function useCostLimit(most: number): Plugin {
  return {
    onExecute({ args, setResultAndStopExecution }) {
      const error = refusal(args, most)
      if (error) setResultAndStopExecution({ errors: [error] })
    },
    onSubscribe({ args, setResultAndStopExecution }) {
      const error = refusal(args, most)
      if (error) setResultAndStopExecution({ errors: [error] })
    },
  }
}

function refusal(
  { schema, document, operationName, variableValues }: ExecutionArgs,
  most: number,
): GraphQLError | null {
  const operation = getOperationAST(document, operationName)
  // Whoever executes the document says what is wrong with it.
  if (!operation) return null
  const others = document.definitions.filter((one) => one.kind !== Kind.OPERATION_DEFINITION || one === operation)
  try {
    const { complexity } = complexityFromQuery(
      { ...document, definitions: others },
      { schema, variables: variableValues ?? {} },
    )
    if (complexity <= most) return null
    return new GraphQLError(`This could return ${complexity} rows; at most ${most} are allowed.`, {
      extensions: { code: 'COST_LIMIT', cost: complexity, limit: most },
    })
  } catch (error) {
    // Variables that do not fit.
    if (error instanceof GraphQLError) return error
    throw error
  }
}
