export type { ImageDescription } from '../image-description.ts'
export { describe } from './describe.ts'
export type { BlurhashOptions, DescribeLimits, DescribeOptions } from './describe-options.ts'
