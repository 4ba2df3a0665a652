import type { ExportLink as Link } from '../resolvers/exports.ts'
import { prospectExport } from '../resolvers/exports.ts'
import { builder } from './builder.ts'
import { ExportFormat } from './enums.ts'
import { ProspectFilter, ProspectOrder } from './inputs.ts'

const ExportLink = builder.objectRef<Link>('ExportLink').implement({
  description: 'A signed link to a file, good without a key until it expires or the key it was made with ends.',
  fields: (t) => ({
    url: t.expose('url', { type: 'URL', description: 'A GET streams the file as the prospects then are.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When the link ends: an hour after it was made.',
    }),
  }),
})

builder.queryField('prospectExport', (t) =>
  t.field({
    type: ExportLink,
    description: 'A link to a file of every prospect that matches, by auction date unless told.',
    args: {
      filter: t.arg({ type: ProspectFilter, description: 'Which prospects; at most about 4,000 characters as JSON.' }),
      orderBy: t.arg({ type: ProspectOrder, description: 'In which order.' }),
      format: t.arg({ type: ExportFormat, required: true, description: 'How the file holds them.' }),
    },
    resolve: async (_root, args, context) => await prospectExport(args, context),
  }),
)
