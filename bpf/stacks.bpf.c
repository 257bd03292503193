// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts events by process and stack, losing and merging none in silence.
 *
 * A stack is taken into this CPU's scratch, hashed to 128 seeded bits, and
 * counted in a hash table under that hash. Its frames go through the ring
 * buffer once, when the key is new; while they do not fit, every later event of
 * the key tries again. An event that finds the table full is sent whole
 * instead. So the table holds no frames (48 bytes a key, not a kilobyte as in
 * BPF_MAP_TYPE_STACK_TRACE), no bucket can collide, and user space hears of a
 * stack while its process is likely still there to be named.
 *
 * One program a kind of event; each event of the command line is an instance
 * of this object of its own, sharing the maps of the first.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "stacks.h"
#include "compat.bpf.h"
#include "filter.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 event_index;
const volatile bool take_kernel = true;
const volatile bool take_user = true;
const volatile bool by_thread;
/* frames a side */
const volatile __u32 depth = FP_MAX_DEPTH;
/* kernel.perf_event_max_stack: the kernel gives no more, and does not say that there was more */
const volatile __u32 kernel_depth = FP_MAX_DEPTH;
/* the probe sits on a function's first instruction */
const volatile bool at_entry;
const volatile __u64 seed_0, seed_1;
/* ends after that many events; 0 never. CPUs that race may each count one more. */
const volatile __u64 event_limit;

/*
 * Words hashed a turn: the verifier follows the rest of the program from every
 * turn the loop may end at, and with a word a turn that took most of the time
 * until a trace is armed.
 */
#define STRIDE 8

struct fp_cpu {
	__u64 totals[FP_TOTALS];
	struct fp_record record;
	/* the record's frames; each side has room for one over the limit, to tell that it was reached, and zeroes follow */
	__u64 frames[2 * (FP_MAX_DEPTH + 1) + STRIDE];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fp_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, struct fp_key);
	__type(value, struct fp_count);
} counts SEC(".maps");

/* Events taken so far, kept only when there is a limit. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} taken SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} records SEC(".maps");

static __always_inline void mix(__u64 hash[2], __u64 word)
{
	hash[0] = (hash[0] ^ word) * 0x9fb21c651e98df25ULL;
	hash[0] ^= hash[0] >> 29;
	hash[1] = (hash[1] + word) * 0xd6e8feb86659fd93ULL;
	hash[1] ^= hash[1] >> 32;
}

static __always_inline void mix_stride(__u64 hash[2], const __u64 *words)
{
	int i;

#pragma unroll
	for (i = 0; i < STRIDE; i++)
		mix(hash, words[i]);
}

/* Bytes of frames now at room; a failure or a cut goes into flags. */
static __always_inline __u64 take_side(void *ctx, void *room, __u64 helper_flags, __u32 *flags, __u32 cut,
				       __u32 errno_shift)
{
	__u64 limit = depth * sizeof(__u64);
	long got;

	if (limit > FP_MAX_DEPTH * sizeof(__u64))
		return 0;
	got = bpf_get_stack(ctx, room, limit + sizeof(__u64), helper_flags);
	if (got < 0) {
		*flags |= (-got & 0xff) << errno_shift;
		return 0;
	}
	if ((__u64)got <= limit) {
		/* cut there, or just so deep: only a frame more could tell */
		if ((__u64)got >= kernel_depth * sizeof(__u64))
			*flags |= cut;
		return got;
	}
	*flags |= cut;
	return limit;
}

/* Puts this event's process, thread and stack into the scratch; returns its frames. */
static __always_inline __u32 fill(struct fp_cpu *cpu, void *ctx, __u64 pid_tgid, __u64 caller)
{
	struct fp_record *record = &cpu->record;
	__u32 flags = 0;
	__u64 kernel = 0, user = 0, words, i;
	__u64 *frames = cpu->frames;

	record->tid = pid_tgid;
	record->weight = 0;
	record->time = bpf_ktime_get_ns();
	record->caller = caller;
	record->key.tgid = pid_tgid >> 32;
	record->key.tid = by_thread ? (__u32)pid_tgid : 0;
	record->key.event = event_index;
	if (take_kernel)
		kernel = take_side(ctx, frames, 0, &flags, FP_KERNEL_CUT, FP_KERNEL_ERRNO_SHIFT);
	if (kernel > FP_MAX_DEPTH * sizeof(__u64))
		return 0;
	if (take_user)
		user = take_side(ctx, (void *)frames + kernel, BPF_F_USER_STACK, &flags, FP_USER_CUT,
				 FP_USER_ERRNO_SHIFT);
	record->key.flags = flags;
	record->kernel_frames = kernel / sizeof(__u64);
	record->user_frames = user / sizeof(__u64);

	words = (kernel + user) / sizeof(__u64);
	record->key.hash[0] = seed_0;
	record->key.hash[1] = seed_1;
	mix(record->key.hash, caller);
	/* how long each side is, is part of the stack */
	mix(record->key.hash, kernel << 32 | user);
	if (words > 2 * FP_MAX_DEPTH)
		return 0;
	for (i = 0; i < STRIDE; i++)
		frames[words + i] = 0;
	for (i = 0; i < 2 * FP_MAX_DEPTH && i < words; i += STRIDE)
		mix_stride(record->key.hash, frames + i);
	return words;
}

static __always_inline bool send(struct fp_record *record, __u32 words)
{
	__u64 size = sizeof(*record) + words * sizeof(__u64);

	if (words > 2 * FP_MAX_DEPTH)
		return false;
	return bpf_ringbuf_output(&records, record, size, 0) == 0;
}

/* Adds one to the key's count; false where there is none and none could be made. wake: send in any case. */
static __always_inline bool count(struct fp_record *record, __u32 words, bool wake)
{
	struct fp_count *held = bpf_map_lookup_elem(&counts, &record->key);

	if (!held) {
		struct fp_count none = {};

		/* fails when another CPU was first, which the lookup then finds, or when full */
		bpf_map_update_elem(&counts, &record->key, &none, BPF_NOEXIST);
		held = bpf_map_lookup_elem(&counts, &record->key);
		if (!held)
			return false;
	}
	__sync_fetch_and_add(&held->events, 1);
	if ((!held->announced || wake) && send(record, words))
		held->announced = 1;
	return true;
}

static __always_inline int take(void *ctx, __u64 caller)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid();
	struct fp_record *record;
	struct fp_cpu *cpu;
	__u32 zero = 0, words;
	bool last = false;
	char comm[FP_COMM_LEN];

	current_comm(comm);
	if (!passes_filter(pid_tgid >> 32, comm))
		return 0;
	cpu = bpf_map_lookup_elem(&cpus, &zero);
	if (!cpu)
		return 0;
	if (event_limit) {
		__u64 *so_far = bpf_map_lookup_elem(&taken, &zero);

		if (!so_far || *so_far >= event_limit)
			return 0;
		__sync_fetch_and_add(so_far, 1);
		last = *so_far >= event_limit;
	}
	record = &cpu->record;
	__builtin_memcpy(record->key.comm, comm, sizeof(comm));
	words = fill(cpu, ctx, pid_tgid, caller);
	cpu->totals[FP_SEEN]++;
	if (count(record, words, last)) {
		cpu->totals[FP_COUNTED]++;
		return 0;
	}
	record->weight = 1;
	if (send(record, words))
		cpu->totals[FP_STREAMED]++;
	else
		cpu->totals[FP_UNSENT]++;
	return 0;
}

SEC("kprobe")
int on_kprobe(struct pt_regs *regs)
{
	return take(regs, at_entry ? caller_at_entry(regs) : 0);
}

SEC("tracepoint")
int on_tracepoint(void *ctx)
{
	return take(ctx, 0);
}

SEC("perf_event")
int on_sample(struct bpf_perf_event_data *ctx)
{
	return take(ctx, 0);
}
