import type { Politeness } from '../../src/engine/fetch/politeness.ts'

/** Politeness that never waits and tells whose turns were taken. */
export function freePass(): Politeness & { readonly hosts: readonly string[]; readonly open: number } {
  const hosts: string[] = []
  let open = 0
  return {
    hosts,
    get open() {
      return open
    },
    async acquire(host) {
      hosts.push(host)
      open++
      let ended = false
      return async () => {
        if (!ended) open--
        ended = true
      }
    },
    close: async () => {},
  }
}
