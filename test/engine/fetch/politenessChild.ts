import { once } from 'node:events'
import { connect } from 'node:net'
import { createPoliteness, type PolitenessLimits } from '../../../src/engine/fetch/politeness.ts'

/** A process that takes `turns` turns, each with a connection to `port` open meanwhile; 0: one, held for ever. */
export interface Orders {
  databaseUrl: string
  limits: PolitenessLimits
  host: string
  turns: number
  port: number
}

const orders = JSON.parse(process.argv[2] ?? '') as Orders
const politeness = createPoliteness({ ...orders, platform: 'REALAUCTION' })
const { signal } = new AbortController()

if (orders.turns === 0) {
  await politeness.acquire(orders.host, signal)
  process.send?.('held')
  process.on('disconnect', () => process.exit(1))
} else {
  // Two at once in each process, as a browser's requests are.
  await Promise.all([takeTurns(), takeTurns()])
  await politeness.close()
  process.disconnect()
}

async function takeTurns(): Promise<void> {
  for (let turn = 0; turn < orders.turns; turn++) {
    const release = await politeness.acquire(orders.host, signal)
    const socket = connect(orders.port, '127.0.0.1')
    await once(socket, 'data')
    socket.end()
    await once(socket, 'close')
    await release()
  }
}
