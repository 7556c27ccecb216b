import { describeCrashPoints } from './describe-crash-points.ts'
import { WRITING_SCENARIOS } from './writing-scenarios.ts'

describeCrashPoints('writing', WRITING_SCENARIOS)
