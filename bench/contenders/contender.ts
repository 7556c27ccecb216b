/** What every contender of the object benches offers: the same four pieces of work, done as its users do them. */
export interface Contender {
  get(key: string): Promise<number>
  put(key: string, bytes: Uint8Array): Promise<void>
  sign(key: string): Promise<string>
  /** A stream whose length is not told. Absent where the library can't. */
  putStream?(key: string, chunks: AsyncIterable<Uint8Array>): Promise<void>
  getStream?(key: string): Promise<AsyncIterable<Uint8Array>>
  close?(): Promise<void>
}

export interface Target {
  endpoint: string
  region: string
  bucket: string
  accessKeyId: string
  secretAccessKey: string
}

/** The configuration that all contenders over the AWS SDK share. */
export function clientConfig({ endpoint, region, accessKeyId, secretAccessKey }: Target) {
  return {
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  } as const
}
