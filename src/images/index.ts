export { decodeBlurhash, encodeBlurhash, isBlurhash } from './blurhash/index.ts'
export {
  type BlurhashOptions,
  type DescribeLimits,
  type DescribeOptions,
  describe,
  type ImageDescription,
} from './describe/index.ts'
export {
  IMAGE_METADATA_NAMES,
  type ImageMetadata,
  imageMetadata,
  readImageMetadata,
} from './image-metadata.ts'
export {
  checkImageTtls,
  type ImageSource,
  type ImageTtls,
  type ImageUrlSet,
  type ImageUrls,
  type ImageUrlsOptions,
  type ImageVariant,
  type ImageVariants,
  imageUrls,
  type SignedImage,
  type TtlWarning,
} from './image-urls/index.ts'
export {
  type ImageMetadataOptions,
  type UndescribedImage,
  withImageMetadata,
} from './with-image-metadata/index.ts'
