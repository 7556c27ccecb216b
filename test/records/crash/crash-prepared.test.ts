import { describeCrashPoints } from './describe-crash-points.ts'
import { PREPARED_SCENARIOS } from './prepared-scenarios.ts'

describeCrashPoints('prepared', PREPARED_SCENARIOS)
