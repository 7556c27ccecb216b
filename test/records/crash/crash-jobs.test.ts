import { describeCrashPoints } from './describe-crash-points.ts'
import { JOB_SCENARIOS } from './job-scenarios.ts'

describeCrashPoints('jobs', JOB_SCENARIOS)
