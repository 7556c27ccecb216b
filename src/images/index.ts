export { decodeBlurhash, encodeBlurhash, isBlurhash } from './blurhash/index.ts'
export type { ImageDescription } from './image-description.ts'
export {
  IMAGE_METADATA_NAMES,
  type ImageMetadata,
  imageMetadata,
  readImageMetadata,
} from './image-metadata.ts'
