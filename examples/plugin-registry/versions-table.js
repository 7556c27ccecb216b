/** The registry's own table. It has versions of its own: add a step to change it, never edit one. */
export const UPGRADES = [
  {
    version: 1,
    creates: ['plugin_versions'],
    statements: ({ table, types: { text, integer } }) => [
      `CREATE TABLE ${table('plugin_versions')} (name ${text} NOT NULL, version ${text} NOT NULL, sort_key ${text} NOT NULL, stable ${integer} NOT NULL, yanked ${integer} NOT NULL, sha256 ${text} NOT NULL, size ${integer} NOT NULL, description ${text} NOT NULL, published_at ${integer} NOT NULL, PRIMARY KEY (name, version))`,
      // What a version check asks: the end of one range of this index.
      `CREATE INDEX ${table('plugin_versions_latest')} ON ${table('plugin_versions')} (name, stable, yanked, sort_key)`,
    ],
  },
]

const COLUMNS = 'name, version, sort_key, yanked, sha256, size, description, published_at'

/** The statements of the registry. Whether rows and files agree is not their business: see `registry.js`. */
export class VersionsTable {
  #engine
  #table

  constructor(engine, table) {
    this.#engine = engine
    this.#table = table
  }

  /** For the batch that publishes the file. */
  insert({ name, version, sortKey, isStable, sha256, size, description, publishedAt }) {
    return [
      `INSERT INTO ${this.#table} (name, version, sort_key, stable, yanked, sha256, size, description, published_at) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?)`,
      ...[name, version, sortKey, isStable ? 1n : 0n, sha256, BigInt(size), description, BigInt(publishedAt)],
    ]
  }

  /** Linearizable: what another process has published a moment ago is there. */
  async find(name, version) {
    const [row] = await this.#engine.query(
      [`SELECT ${COLUMNS} FROM ${this.#table} WHERE name = ? AND version = ?`, name, version],
      { consistency: 'linearizable' },
    )
    return row
  }

  /** The highest release that has not been yanked, by one look into the index. */
  async latest(name) {
    const [row] = await this.#engine.query([
      `SELECT ${COLUMNS} FROM ${this.#table} WHERE name = ? AND stable = 1 AND yanked = 0 ORDER BY sort_key DESC LIMIT 1`,
      name,
    ])
    return row
  }

  /** The highest first. */
  all(name) {
    return this.#engine.query([
      `SELECT ${COLUMNS} FROM ${this.#table} WHERE name = ? ORDER BY sort_key DESC`,
      name,
    ])
  }

  /** The latest of each plugin, by name. */
  plugins({ search, after, limit }) {
    const text = `%${search.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`
    return this.#engine.query([
      `SELECT ${COLUMNS} FROM ${this.#table} one WHERE stable = 1 AND yanked = 0 AND name > ? ` +
        "AND (name LIKE ? ESCAPE '\\' OR LOWER(description) LIKE ? ESCAPE '\\') " +
        `AND sort_key = (SELECT MAX(sort_key) FROM ${this.#table} other WHERE other.name = one.name AND stable = 1 AND yanked = 0) ` +
        'ORDER BY name LIMIT ?',
      ...[after, text, text, BigInt(limit)],
    ])
  }

  async setYanked(name, version, yanked) {
    await this.#engine.batch([
      [
        `UPDATE ${this.#table} SET yanked = ? WHERE name = ? AND version = ?`,
        yanked ? 1n : 0n,
        name,
        version,
      ],
    ])
  }
}
