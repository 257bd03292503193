/* What elfutils' configure would find out, for libelf alone: no NLS, no zstd. */
#define PACKAGE_NAME "elfutils"
#define PACKAGE_VERSION "0.192"
#define ENABLE_NLS 0
#define HAVE_DECL_MEMPCPY 1
#define HAVE_DECL_MEMRCHR 1
#define HAVE_DECL_POWEROF2 1
#define HAVE_DECL_RAWMEMCHR 1
#define HAVE_DECL_REALLOCARRAY 0
#define HAVE_ERROR_H 1
#define HAVE_ERR_H 1
#define HAVE_FALLTHROUGH 1
#define HAVE_MREMAP 1
#define HAVE_STDATOMIC_H 1
#define HAVE_VISIBILITY 1
#ifdef __x86_64__
#define HAVE_GCC_STRUCT 1
#endif

#include <eu-config.h>

/* reallocarray is newer than glibc 2.17, so libelf's own; stdlib.h would declare the other. */
#include <stdlib.h>
#define reallocarray eu_reallocarray
