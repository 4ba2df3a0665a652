import { setTimeout as delay } from 'node:timers/promises'
import { createApiClient } from '../../src/demo/apiClient.ts'

/** The API of whichever node serves just now. */
export interface Api {
  key: string
  url(): string | null
  /** The data of an operation, which is sent again until it is answered: it must be one that may be done twice. */
  ask<Data>(query: string, variables?: Record<string, unknown>): Promise<Data>
}

/** A frozen node answers after 13 s, a killed one is there again after some seconds, Postgres too. */
const patienceMs = 90_000

export function openApi(url: () => string | null, key: string): Api {
  return {
    key,
    url,
    async ask<Data>(query: string, variables: Record<string, unknown> = {}) {
      const deadline = Date.now() + patienceMs
      for (;;) {
        const at = url()
        try {
          if (at === null) throw new Error('no node serves')
          return await createApiClient(at, key).request<Data>(query, variables)
        } catch (error) {
          if (Date.now() > deadline) throw error
        }
        await delay(200)
      }
    },
  }
}
