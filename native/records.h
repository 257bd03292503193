#ifndef FPSTACK_RECORDS_H
#define FPSTACK_RECORDS_H

#include <stddef.h>
#include <stdint.h>

/*
 * A BPF ring buffer as mapped into this process. libbpf's own reader hands
 * each record to a callback and then drops it; this one leaves in place what
 * the caller has no room for.
 */
struct records {
	/* how far we have read: ours to write */
	uint64_t *consumed;
	/* one page that tells how far the kernel has written, then the data */
	uint8_t *produced;
	uint64_t data_bytes;
	size_t page_bytes;
};

/* 0, or a negative errno */
int map_records(struct records *records, int fd, uint32_t data_bytes);
void unmap_records(struct records *records);
/* Bytes used, or a negative errno; see readRing in runner/native.ts. */
int64_t copy_records(struct records *records, uint8_t *to, size_t room);

#endif
