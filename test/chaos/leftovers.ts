import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { codeOf } from '../../src/db/embedded/processes.ts'
import { processesWithin } from '../../src/engine/processesWithin.ts'
import type { Check } from './checks.ts'

/** What may be left of nodes that have all ended. `tmp`: the folder for temporary files that they were given. */
export async function checkLeftovers(left: { tmp: string; urls: readonly string[] }): Promise<Check[]> {
  const pids = await processesWithin(left.tmp)
  const open = []
  for (const url of left.urls) if (await isListened(url)) open.push(url)
  const files = await readdir(left.tmp)
  return [
    { name: 'no process is left', problems: pids.map((pid) => `process ${pid}`) },
    { name: 'no socket is left', problems: open.map((url) => `${url} is still listened on`) },
    { name: 'no temporary folder is left', problems: files },
  ]
}

/** Whether anybody listens at the address of a URL. */
export async function isListened(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  socket.once('connect', () => resolve(true))
  socket.once('error', (error) => (codeOf(error) === 'ECONNREFUSED' ? resolve(false) : reject(error)))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}
