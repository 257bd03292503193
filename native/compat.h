#ifndef FPSTACK_COMPAT_H
#define FPSTACK_COMPAT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Stand-ins for libc functions newer than glibc 2.17 or absent from musl;
 * hard.gypi renames every call to them.
 */
struct stat;
int compat_fstat(int fd, struct stat *status);
FILE *compat_fmemopen(void *bytes, size_t length, const char *mode);

#endif
