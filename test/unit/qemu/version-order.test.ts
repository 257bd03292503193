import { expect, test } from 'vitest'
import { versionOrder } from '../../../qemu/kernels/version-order.ts'

test('releases are ordered by their numbers', () => {
  const releases = ['6.12.107+deb13-cloud-arm64', '6.12.94+deb13-cloud-arm64', '5.10.0-9-cloud-arm64', '7.2.3+deb14']
  expect([...releases, '5.10.0-32-cloud-arm64'].sort(versionOrder)).toEqual([
    '5.10.0-9-cloud-arm64',
    '5.10.0-32-cloud-arm64',
    '6.12.94+deb13-cloud-arm64',
    '6.12.107+deb13-cloud-arm64',
    '7.2.3+deb14',
  ])
})
