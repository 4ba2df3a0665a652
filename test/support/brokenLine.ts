import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** A network between a client and a server on this machine, which can be cut. */
export interface BrokenLine {
  /** Where the client connects: `127.0.0.1:PORT` */
  readonly host: string
  /** Breaks every connection without a word, as a network does, and lets none through until it is mended. */
  cut(): void
  mend(): void
  /** Settles once it is whole. */
  whole(): Promise<void>
  close(): Promise<void>
}

/** Opens a line to the server at that address. */
export async function openLine(url: string): Promise<BrokenLine> {
  const { hostname, port } = new URL(url)
  const ends = new Set<Socket>()
  let whole = true
  let mended = Promise.withResolvers<void>()
  mended.resolve()

  const keep = (socket: Socket, other: Socket) => {
    ends.add(socket)
    // The other end sees what this one sees: a connection that is gone.
    socket.on('error', () => other.destroy())
    socket.once('close', () => {
      ends.delete(socket)
      other.destroy()
    })
  }
  const server = createServer((near) => {
    if (!whole) {
      near.destroy()
      return
    }
    const far = connect(Number(port), hostname)
    keep(near, far)
    keep(far, near)
    near.pipe(far).pipe(near)
  })
  const cut = () => {
    whole = false
    mended = Promise.withResolvers<void>()
    for (const socket of ends) socket.destroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    mend() {
      whole = true
      mended.resolve()
    },
    whole: async () => await mended.promise,
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
