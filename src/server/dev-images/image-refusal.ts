/** Why a request gets no image: what imgproxy answers, and the reason, which imgproxy keeps to its own log. */
export class ImageRefusal extends Error {
  override readonly name = 'ImageRefusal'

  constructor(
    readonly status: number,
    /** The whole body of the answer. */
    readonly said: string,
    /** Names options, formats and origins, but never a source or a signature: those may be secrets. */
    reason: string,
  ) {
    super(reason)
  }
}

export function forbidden(reason: string): ImageRefusal {
  return new ImageRefusal(403, 'Forbidden', reason)
}

export function invalidUrl(reason: string, status = 404): ImageRefusal {
  return new ImageRefusal(status, 'Invalid URL', reason)
}

export function unreachable(reason: string, status = 404): ImageRefusal {
  return new ImageRefusal(status, 'Source is unreachable', reason)
}

export function noImage(reason: string): ImageRefusal {
  return new ImageRefusal(422, 'Invalid source image', reason)
}
