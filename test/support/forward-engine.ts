export { forwardEngine } from '../../src/conformance/records/forward-engine.ts'
