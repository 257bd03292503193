#include "sideband.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "handle.h"
#include "value.h"
#include "wrapped.h"

/* One CPU's buffer, as perf_event_open(2) lays it out; fd is -1 where the CPU is offline. */
struct cpu_buffer {
	int fd;
	struct perf_event_mmap_page *head;
};

struct sideband {
	size_t page_bytes, data_bytes;
	int cpus;
	struct cpu_buffer buffers[];
};

static void close_buffers(struct sideband *sideband)
{
	int cpu;

	for (cpu = 0; cpu < sideband->cpus; cpu++) {
		struct cpu_buffer *buffer = &sideband->buffers[cpu];

		if (buffer->fd < 0)
			continue;
		munmap(buffer->head, sideband->page_bytes + sideband->data_bytes);
		close(buffer->fd);
		buffer->fd = -1;
	}
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	close_buffers(data);
	free(data);
}

static int open_buffer(struct sideband *sideband, int cpu)
{
	struct cpu_buffer *buffer = &sideband->buffers[cpu];
	struct perf_event_attr attributes = {
		.size = sizeof(attributes),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.exclude_kernel = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		/* the clock of bpf_ktime_get_ns */
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	void *head;

	if (fd < 0)
		return errno == ENODEV ? 0 : -errno;
	head = mmap(NULL, sideband->page_bytes + sideband->data_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (head == MAP_FAILED) {
		int error = -errno;

		close(fd);
		return error;
	}
	buffer->fd = fd;
	buffer->head = head;
	return 0;
}

napi_value js_open_sideband(napi_env env, napi_callback_info info)
{
	int cpu, cpus = libbpf_num_possible_cpus(), error = 0;
	struct sideband *sideband;
	napi_value argument[1], handle;
	uint32_t pages;

	if (!take_arguments(env, info, argument, 1) || !take_uint32(env, argument[0], &pages))
		return NULL;
	if (cpus < 0)
		return number(env, cpus);
	if (pages == 0 || (pages & (pages - 1)) || pages > 4096)
		return number(env, -EINVAL);
	sideband = calloc(1, sizeof(*sideband) + (size_t)cpus * sizeof(sideband->buffers[0]));
	if (!sideband)
		return number(env, -ENOMEM);
	sideband->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	sideband->data_bytes = pages * sideband->page_bytes;
	sideband->cpus = cpus;
	for (cpu = 0; cpu < cpus; cpu++)
		sideband->buffers[cpu].fd = -1;
	for (cpu = 0; cpu < cpus && !error; cpu++)
		error = open_buffer(sideband, cpu);
	handle = error ? NULL : make_handle(env, &sideband_tag, sideband, finalize);
	if (!handle)
		finalize(env, sideband, NULL);
	return error ? number(env, error) : handle;
}

/* Whole records of one CPU; bytes copied. */
static size_t copy_buffer(const struct sideband *sideband, struct cpu_buffer *buffer, uint8_t *to, size_t room)
{
	/* pairs with the kernel's barrier before it publishes data_head */
	uint64_t head = __atomic_load_n(&buffer->head->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = buffer->head->data_tail;
	const uint8_t *data = (const uint8_t *)buffer->head + sideband->page_bytes;
	size_t used = 0;

	while (tail < head) {
		struct perf_event_header header;

		copy_wrapped((uint8_t *)&header, data, sideband->data_bytes, tail, sizeof(header));
		if (header.size < sizeof(header) || header.size > head - tail) {
			/* not the kernel's doing: nothing after it can be trusted */
			tail = head;
			break;
		}
		if (header.size > room - used)
			break;
		copy_wrapped(to + used, data, sideband->data_bytes, tail, header.size);
		used += header.size;
		tail += header.size;
	}
	/* after the copy: the kernel may now write there */
	__atomic_store_n(&buffer->head->data_tail, tail, __ATOMIC_RELEASE);
	return used;
}

napi_value js_read_sideband(napi_env env, napi_callback_info info)
{
	struct sideband *sideband;
	napi_value argument[2];
	struct bytes buffer;
	size_t used = 0;
	void *data;
	int cpu;

	if (!take_arguments(env, info, argument, 2) || !take_handle(env, argument[0], &sideband_tag, &data) ||
	    !take_bytes(env, argument[1], &buffer))
		return NULL;
	sideband = data;
	for (cpu = 0; cpu < sideband->cpus; cpu++)
		if (sideband->buffers[cpu].fd >= 0)
			used += copy_buffer(sideband, &sideband->buffers[cpu], buffer.data + used,
					    buffer.length - used);
	return number(env, (double)used);
}

napi_value js_close_sideband(napi_env env, napi_callback_info info)
{
	napi_value argument[1];
	void *data;

	if (take_arguments(env, info, argument, 1) && take_handle(env, argument[0], &sideband_tag, &data))
		close_buffers(data);
	return NULL;
}
