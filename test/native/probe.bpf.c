// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the addon's tests open, load and attach; counts one thread's events. */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct pair {
	__u32 first;
	__u64 second;
};

const volatile __u32 own_tid;
const volatile __u64 seed[2] = {1, 2};
const volatile struct pair pair;
__u32 increment = 1;
__u64 calls;
static volatile __u8 hidden = 1;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} total SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	/* not a multiple of 8: padded for each CPU */
	__type(value, char[12]);
} by_cpu SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 5000);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

/* has no batches on older kernels */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1000);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} prefixes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} records SEC(".maps");

/* Record n has 8 + (n & 55) bytes: n, then bytes of n's low eight bits. */
static __always_inline void send(__u64 n)
{
	char record[64];
	__u64 length = 8 + (n & 55);

	__builtin_memset(record, (__u8)n, sizeof(record));
	*(__u64 *)record = n;
	bpf_ringbuf_output(&records, record, length, 0);
}

SEC("kprobe")
int on_event(void *ctx)
{
	__u32 zero = 0;
	__u64 *count;
	char *mine;

	if ((__u32)bpf_get_current_pid_tgid() != own_tid)
		return 0;
	hidden = 2;
	__sync_fetch_and_add(&calls, increment);
	count = bpf_map_lookup_elem(&total, &zero);
	/* one thread makes the events; an atomic that answers the old value is new in 5.12 */
	if (count)
		send((*count)++);
	mine = bpf_map_lookup_elem(&by_cpu, &zero);
	if (mine)
		mine[0]++;
	return 0;
}

SEC("perf_event")
int on_sample(void *ctx)
{
	__sync_fetch_and_add(&calls, increment + seed[0] + pair.first);
	return 0;
}

SEC("tracepoint")
int on_point(void *ctx)
{
	if ((__u32)bpf_get_current_pid_tgid() == own_tid)
		__sync_fetch_and_add(&calls, increment);
	return 0;
}

/* Not loaded unless asked for: the verifier refuses it. */
SEC("?kprobe")
int refused(void *ctx)
{
	__u64 *wild = (__u64 *)bpf_ktime_get_ns();

	return *wild;
}
