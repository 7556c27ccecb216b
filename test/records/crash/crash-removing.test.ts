import { describeCrashPoints } from './describe-crash-points.ts'
import { REMOVING_SCENARIOS } from './removing-scenarios.ts'

describeCrashPoints('removing', REMOVING_SCENARIOS)
