#include "records.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wrapped.h"

static uint64_t round_up8(uint64_t bytes)
{
	return (bytes + 7) & ~(uint64_t)7;
}

int map_records(struct records *records, int fd, uint32_t data_bytes)
{
	void *consumed, *produced;
	int error;

	records->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	records->data_bytes = data_bytes;
	consumed = mmap(NULL, records->page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumed == MAP_FAILED)
		return -errno;
	produced = mmap(NULL, records->page_bytes + (size_t)data_bytes, PROT_READ, MAP_SHARED, fd,
			(off_t)records->page_bytes);
	if (produced == MAP_FAILED) {
		error = -errno;
		munmap(consumed, records->page_bytes);
		return error;
	}
	records->consumed = consumed;
	records->produced = produced;
	return 0;
}

void unmap_records(struct records *records)
{
	munmap(records->produced, records->page_bytes + (size_t)records->data_bytes);
	munmap(records->consumed, records->page_bytes);
}

int64_t copy_records(struct records *records, uint8_t *to, size_t room)
{
	const uint8_t *data = records->produced + records->page_bytes;
	uint64_t at = *records->consumed, used = 0;
	/* pairs with the kernel's release: what lies before it is written */
	uint64_t end = __atomic_load_n((const uint64_t *)records->produced, __ATOMIC_ACQUIRE);

	while (at < end) {
		const uint8_t *record = data + (at & (records->data_bytes - 1));
		/* pairs with the commit that clears BUSY */
		uint32_t header = __atomic_load_n((const uint32_t *)record, __ATOMIC_ACQUIRE);
		uint32_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		uint64_t in_ring = round_up8((uint64_t)length + BPF_RINGBUF_HDR_SZ);
		uint64_t copied = round_up8((uint64_t)length + sizeof(length));

		if (header & BPF_RINGBUF_BUSY_BIT)
			break;
		if (in_ring > records->data_bytes)
			return -EIO;
		if (!(header & BPF_RINGBUF_DISCARD_BIT)) {
			if (copied > room - used) {
				if (used == 0)
					return -EMSGSIZE;
				break;
			}
			memcpy(to + used, &length, sizeof(length));
			copy_wrapped(to + used + sizeof(length), data, records->data_bytes, at + BPF_RINGBUF_HDR_SZ,
				     length);
			memset(to + used + sizeof(length) + length, 0, copied - sizeof(length) - length);
			used += copied;
		}
		at += in_ring;
		/* after the copy: the kernel may now write there */
		__atomic_store_n(records->consumed, at, __ATOMIC_RELEASE);
	}
	return (int64_t)used;
}
