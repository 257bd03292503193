/** What is linked into the addon, from Debian's signed source packages. */
export interface Upstream {
  readonly name: 'libbpf' | 'elfutils' | 'zlib'
  readonly version: string
  /** The part of it that is linked. */
  readonly linked: string
  readonly licence: string
  /** Licence texts in the unpacked source. */
  readonly licenceFiles: readonly string[]
  /** What else a receiver has to be told. */
  readonly remark?: string
  /** sha256 of the upstream tarball, which Debian ships unaltered but for what licences forbid. */
  readonly sha256: string
  /** Debian's patches that are needed here, with their sha256; no other is applied. */
  readonly patches: Readonly<Record<string, string>>
}

export const suite = 'trixie'

export const upstreams: readonly Upstream[] = [
  {
    name: 'libbpf',
    version: '1.5.0',
    linked: 'libbpf',
    licence: 'LGPL-2.1-only OR BSD-2-Clause (used under BSD-2-Clause)',
    licenceFiles: ['LICENSE.BSD-2-Clause'],
    sha256: '53492aff6dd47e4da04ef5e672d753b9743848bdb38e9d90eafbe190b7983c44',
    // a corrupt object made libbpf read before its section
    patches: { 'buffer-overflow.patch': '7ce31e3058a8ab2b0b97cf67bb73453730abefddcd564d65e2b200c81480c81b' },
  },
  {
    name: 'elfutils',
    version: '0.192',
    linked: 'libelf',
    licence: 'LGPL-3.0-or-later OR GPL-2.0-or-later',
    licenceFiles: ['COPYING-LGPLV3', 'COPYING'],
    remark: `libelf may be used under either licence. It is linked statically under the GNU
Lesser General Public License, version 3 or later. You may change libelf and
link fpstack.node anew: fpstack's repository is the recipe. Edit the sources
that "npm run build" unpacks to build/sources/elfutils, remove
build/stamps/addon-*, and run "npm run build" again.`,
    sha256: '616099beae24aba11f9b63d86ca6cc8d566d968b802391334c91df54eab416b4',
    patches: {},
  },
  {
    name: 'zlib',
    version: '1.3.1',
    linked: 'zlib',
    licence: 'Zlib',
    licenceFiles: ['LICENSE'],
    sha256: '60dd315c07f616887caa029408308a018ace66e3d142726a97db164b3b8f69fb',
    patches: {},
  },
]
