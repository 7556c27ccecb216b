import { conformanceOnS3 } from '../support/s3-conformance.ts'
import { describeOnS3Server } from '../support/s3-servers.ts'

describeOnS3Server('minio', 's3', server =>
  conformanceOnS3(server, {
    'keys/file-and-folder': 'MinIO stores a/b beside a, and leaves it out of lists',
  }),
)
