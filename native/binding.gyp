# Read through a link in build/ARCH (scripts/cross/addon.ts), so that both
# architectures are built side by side: paths start there.
{
  'variables': {
    'native': '../../native',
    'sources_dir': '../sources',
  },
  'targets': [
    {
      'target_name': 'zlib',
      'type': 'static_library',
      'includes': ['../../native/hard.gypi', '../../native/foreign.gypi'],
      # gz*.c too: libbpf reads /proc/config.gz
      'sources': ['<!@(ls <(sources_dir)/zlib/*.c)'],
      'defines': ['HAVE_UNISTD_H', 'HAVE_HIDDEN'],
    },
    {
      'target_name': 'elf',
      'type': 'static_library',
      'includes': ['../../native/hard.gypi', '../../native/foreign.gypi'],
      'sources': [
        '<!@(ls <(sources_dir)/elfutils/libelf/*.c)',
        '<(sources_dir)/elfutils/lib/eu-search.c',
      ],
      'include_dirs': [
        '<(native)/libelf',
        '<(sources_dir)/elfutils/lib',
        '<(sources_dir)/elfutils/libelf',
        '<(sources_dir)/zlib',
      ],
      'defines': [
        '_GNU_SOURCE',
        'HAVE_CONFIG_H',
        'PIC',
        # libelf's one thread-local variable, its last error, would need the
        # dynamic linker by name (__tls_get_addr), which musl has elsewhere
        '__thread=',
      ],
    },
    {
      'target_name': 'bpf',
      'type': 'static_library',
      'includes': ['../../native/hard.gypi', '../../native/foreign.gypi'],
      'sources': ['<!@(ls <(sources_dir)/libbpf/src/*.c)'],
      'include_dirs': [
        '<(sources_dir)/libbpf/src',
        '<(sources_dir)/libbpf/include',
        '<(sources_dir)/libbpf/include/uapi',
        '<(sources_dir)/elfutils/libelf',
        '<(sources_dir)/zlib',
      ],
    },
    {
      'target_name': 'fpstack',
      'dependencies': ['bpf', 'elf', 'zlib'],
      'includes': ['../../native/hard.gypi'],
      'sources': ['<!@(ls <(native)/*.c)'],
      'include_dirs': [
        '../include',
        '<(sources_dir)/libbpf/include/uapi',
      ],
      'defines': ['NAPI_VERSION=8', '_GNU_SOURCE'],
      'cflags': ['-std=c11', '-Wall', '-Wextra', '-Werror', '-Wshadow', '-Wstrict-prototypes'],
      'ldflags': [
        # no DT_NEEDED: symbols bind to whatever libc Node brought
        '-nostdlib',
        '-s',
        '-Wl,--gc-sections',
        '-Wl,--exclude-libs,ALL',
        '-Wl,-z,relro',
        '-Wl,-z,now',
        '-Wl,-z,noexecstack',
        '-Wl,--build-id=sha1',
      ],
      'conditions': [
        # kernels with 64K pages
        ['target_arch=="arm64"', {'ldflags': ['-Wl,-z,max-page-size=65536']}],
      ],
    },
  ],
}
