# What every target is compiled with, ours or not. In target_defaults it would
# have no effect: node's common.gypi comes later.
{
  'cflags': [
    '-Os',
    '-fPIC',
    '-fvisibility=hidden',
    '-ffunction-sections',
    '-fdata-sections',
    # symbols that musl lacks
    '-U_FORTIFY_SOURCE',
    '-fno-stack-protector',
  ],
  'defines': [
    # newer in glibc than the rest (compat.c)
    'fstat=compat_fstat',
    'fmemopen=compat_fmemopen',
  ],
  # would turn fcntl into fcntl64, which is new in glibc 2.28 and absent in musl
  'defines!': ['_FILE_OFFSET_BITS=64', '_LARGEFILE_SOURCE'],
  'conditions': [
    # the outlined ones are in libgcc
    ['target_arch=="arm64"', {'cflags': ['-mno-outline-atomics']}],
  ],
  'configurations': {'Release': {'cflags!': ['-O3']}},
}
