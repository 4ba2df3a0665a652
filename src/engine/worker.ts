/** What a child process of the pool runs. Compiled code is kept on disk, so that the next worker starts faster. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const [{ runWorker }, { siteFor }] = await Promise.all([import('./runWorker.ts'), import('./sites/sites.ts')])
await runWorker({ siteFor })
