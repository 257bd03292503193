import { boardSuite } from './board-suite.ts'

boardSuite('x64', '5.10')
