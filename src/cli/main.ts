#!/usr/bin/env node
import { keepCompiledCode } from './keep-compiled-code.ts'

// Loaded only now: what a module imports at its top is compiled before its first line runs.
keepCompiledCode()
await import('./run-main.ts')
