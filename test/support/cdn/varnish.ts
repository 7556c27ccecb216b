/** A real cache for httpPurge, from Debian's package varnish: nothing requires it. */
import { accessSync, constants, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type ServerProcess, startServerProcess } from '../server-process.ts'

/** Daemons live in folders that are on nobody's PATH but root's. */
const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].filter(Boolean)

export function findVarnish(): string | undefined {
  return FOLDERS.map(folder => join(folder, 'varnishd')).find(isExecutable)
}

/** Set up as https://www.varnish-software.com/developers/tutorials/purge/ does; `x-from: outside` is not on its list. */
export function startVarnish(varnishd: string, originPort: number): Promise<ServerProcess> {
  return startServerProcess('varnish', (port, folder) => {
    const vcl = `vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${originPort}"; }
acl purge { "127.0.0.1"; }
sub vcl_recv {
  if (req.method == "PURGE") {
    if (client.ip !~ purge || req.http.x-from == "outside") { return (synth(405, "Not allowed")); }
    return (purge);
  }
}
sub vcl_backend_response { set beresp.ttl = 1h; }
`
    writeFileSync(join(folder, 'purge.vcl'), vcl)
    const args = [
      '-F',
      '-n',
      join(folder, 'work'),
      '-a',
      `127.0.0.1:${port}`,
      '-f',
      join(folder, 'purge.vcl'),
    ]
    return {
      command: varnishd,
      args: [...args, '-s', 'malloc,16m', '-j', 'none'],
      env: {},
      readyUrl: `http://127.0.0.1:${port}/ready`,
    }
  })
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
