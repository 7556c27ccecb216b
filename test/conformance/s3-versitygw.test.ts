import { conformanceOnS3 } from '../support/s3-conformance.ts'
import { describeOnS3Server } from '../support/s3-servers.ts'

describeOnS3Server('versitygw', 's3', server => conformanceOnS3(server))
