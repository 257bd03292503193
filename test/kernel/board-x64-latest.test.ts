import { boardSuite } from './board-suite.ts'

boardSuite('x64', 'latest')
