#include "compat.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A function only since glibc 2.33. On 64-bit, struct stat is the kernel's own in both libcs. */
int compat_fstat(int fd, struct stat *status)
{
	return (int)syscall(SYS_fstat, fd, status);
}

/* Its current version is of glibc 2.22. libbpf calls it only for an option that is never set here. */
FILE *compat_fmemopen(void *bytes, size_t length, const char *mode)
{
	(void)bytes;
	(void)length;
	(void)mode;
	errno = ENOSYS;
	return NULL;
}
