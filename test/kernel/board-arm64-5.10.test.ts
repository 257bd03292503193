import { boardSuite } from './board-suite.ts'

boardSuite('arm64', '5.10')
