/** What `describe` found out about an image. */
export interface ImageDescription {
  /** Media type by the bytes, not by a name: `image/jpeg`. */
  type: string
  /** Pixels across as seen, after the orientation that the file asks for. */
  width: number
  /** Pixels down as seen; of an animation one frame's. */
  height: number
  animated: boolean
  /** Whether the image has an alpha channel, not whether any pixel is transparent. */
  alpha: boolean
  /** Absent where the pixels could not be decoded: a truncated file still has its size. */
  blurhash?: string
}
