/** Who may do what, in the form of rqlite's `-auth` file. */
export interface User {
  /** `*` stands for everybody, also for requests without a name. */
  username: string
  password?: string
  /** `all`, `execute`, `query`, `status`, `ready`, `backup`, `load`, `leader-ops`, `snapshot`, `remove`. */
  perms: readonly string[]
}

export class Credentials {
  constructor(private readonly users: readonly User[]) {}

  /** A wrong password and a missing permission look the same from outside. */
  allow(authorization: string | undefined, permissions: readonly string[]): boolean {
    const encoded = /^basic (.*)$/i.exec(authorization ?? '')?.[1] ?? ''
    const [username = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
    const known = this.users.find(user => user.username === username && user.password === rest.join(':'))
    const granted = [
      ...(known?.perms ?? []),
      ...this.users.filter(user => user.username === '*').flatMap(user => user.perms),
    ]
    return granted.includes('all') || permissions.every(permission => granted.includes(permission))
  }
}
