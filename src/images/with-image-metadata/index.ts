export type { ImageMetadataOptions, UndescribedImage } from './image-metadata-options.ts'
export { withImageMetadata } from './with-image-metadata.ts'
