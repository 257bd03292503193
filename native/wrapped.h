#ifndef FPSTACK_WRAPPED_H
#define FPSTACK_WRAPPED_H

#include <stdint.h>
#include <string.h>

/*
 * Copies length bytes from byte at of a ring of size bytes, a power of two, which
 * may wrap. (A second mapping behind the first would count all of it twice in RSS.)
 */
static inline void copy_wrapped(uint8_t *to, const uint8_t *ring, uint64_t size, uint64_t at, uint64_t length)
{
	uint64_t start = at & (size - 1);
	uint64_t first = length < size - start ? length : size - start;

	memcpy(to, ring + start, first);
	memcpy(to + first, ring, length - first);
}

#endif
