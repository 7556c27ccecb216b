/**
 * What developers ask of a mail catcher, as JSON and raw text.
 *
 * | request | answer |
 * | --- | --- |
 * | `GET /acme/mails` | the list |
 * | `GET /acme/mails/<id>?from=file`, `?from=table` | the message, byte for byte |
 * | `DELETE /acme/mails/<id>` | 204 |
 */
export function createMailRoutes(mailboxes, onError = console.error) {
  return async (request, response) => {
    try {
      await answer(mailboxes, request, response)
    } catch (error) {
      onError(error)
      if (response.headersSent) response.destroy()
      else send(response, error.code === 'unavailable' ? 503 : 500, { error: 'the mail catcher failed' })
    }
  }
}

async function answer(mailboxes, { method, url }, response) {
  const { pathname, searchParams } = new URL(url, 'http://localhost')
  const [, tenant, id] = /^\/([a-z0-9_]+)\/mails(?:\/([\w-]+))?$/.exec(pathname) ?? []
  // A Map: what is no tenant's name finds nothing.
  const mailbox = mailboxes.get(tenant)
  if (pathname === '/' && method === 'GET') return send(response, 200, { tenants: [...mailboxes.keys()] })
  if (mailbox === undefined) return send(response, 404, { error: 'there is no such tenant' })
  if (method === 'GET' && id === undefined) return send(response, 200, await mailbox.list())
  if (method === 'GET') {
    const raw = await mailbox.raw(id, searchParams.get('from') ?? 'file')
    if (raw === undefined) return send(response, 404, { error: 'there is no such mail' })
    // Never shown as a page: whoever sends a mail decides what stands in it.
    response.writeHead(200, {
      'content-type': 'message/rfc822',
      'content-length': raw.length,
      'content-disposition': `attachment; filename="${id}.eml"`,
      'x-content-type-options': 'nosniff',
    })
    return response.end(raw)
  }
  if (method === 'DELETE' && id !== undefined) {
    if (await mailbox.remove(id)) return response.writeHead(204).end()
    return send(response, 404, { error: 'there is no such mail' })
  }
  send(response, 405, { error: 'not known here' })
}

function send(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(value))
}
