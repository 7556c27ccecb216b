/** Which function answers which path: mostly by its beginning, as the real node does it. */
import { leader, nodes, readyz, reap, remove, snapshot, status } from './admin-routes.ts'
import { backup, load } from './backup-routes.ts'
import { execute, query, request } from './db-routes.ts'
import { type Exchange, send } from './exchange.ts'

const EXACT = new Set(['/snapshot', '/reap', '/leader'])

const ROUTES: [path: string, answer: (exchange: Exchange) => void | Promise<void>][] = [
  ['/db/execute', execute],
  ['/db/query', query],
  ['/db/request', request],
  ['/db/backup', backup],
  ['/db/load', load],
  ['/snapshot', snapshot],
  ['/reap', reap],
  ['/remove', remove],
  ['/status', status],
  ['/nodes', nodes],
  ['/leader', leader],
  ['/readyz', readyz],
]

export async function route(exchange: Exchange): Promise<void> {
  if (exchange.path === '/')
    return send(exchange, 302, '<a href="/console/">Found</a>.\n\n', {
      'content-type': 'text/html; charset=utf-8',
      location: '/console/',
    })
  const found = ROUTES.find(([path]) =>
    EXACT.has(path) ? exchange.path === path : exchange.path.startsWith(path),
  )
  if (found) await found[1](exchange)
  else send(exchange, 404, '')
}
