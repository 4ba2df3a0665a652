import type { IncomingMessage } from 'node:http'
import ipaddr from 'ipaddr.js'
import type { SignedIn } from '../engine/people.ts'
import { limits } from './limits.ts'
import { createRate } from './rate.ts'

/** Lets in what this node can carry, the same over HTTP and WebSocket. Every limit stands in src/server/limits.ts. */
export interface Admission {
  /** A request, or the upgrade to a socket, of an address: the seconds it has to wait, or null when it may come in. */
  request(request: IncomingMessage): number | null
  /** An operation of a key: the seconds it has to wait, or null when it may run. */
  operation(signedIn: SignedIn): number | null
  /** One more socket, or answer under way, whosever it is. Returns what ends it; null where the node has enough. */
  open(): (() => void) | null
  /** The same of a key: null where the key has enough. */
  openFor(signedIn: SignedIn): (() => void) | null
}

export function createAdmission(): Admission {
  const takeOfAddress = createRate(limits.requestsPerAddress)
  const takeOfKey = createRate(limits.operationsPerKey)
  const openOf = new Map<string, number>()

  function count(name: string, most: number): (() => void) | null {
    const open = openOf.get(name) ?? 0
    if (open >= most) return null
    openOf.set(name, open + 1)
    let ended = false
    return () => {
      if (ended) return
      ended = true
      const left = (openOf.get(name) ?? 1) - 1
      if (left > 0) openOf.set(name, left)
      else openOf.delete(name)
    }
  }

  return {
    request: (request) => takeOfAddress(addressOf(request)),
    operation: (signedIn) => takeOfKey(keyName(signedIn)),
    open: () => count('all', limits.openAtOnce),
    openFor: (signedIn) => count(keyName(signedIn), limits.openPerKey),
  }
}

function keyName({ apiKeyId }: SignedIn): string {
  return apiKeyId === null ? 'the admin key' : `key ${apiKeyId}`
}

/** The client's address; of IPv6 the network, of which one client has all addresses. */
function addressOf({ socket }: IncomingMessage): string {
  if (socket.remoteAddress === undefined) return 'gone'
  const address = ipaddr.process(socket.remoteAddress)
  return 'parts' in address ? address.parts.slice(0, 4).join(':') : address.toString()
}
