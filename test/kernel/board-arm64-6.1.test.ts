import { boardSuite } from './board-suite.ts'

boardSuite('arm64', '6.1')
