/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What stacks.bpf.c and runner/session share. Fixed widths, no padding that is
 * not named; test/unit/session/records.test.ts holds the two sides together.
 */
#ifndef STACKS_H
#define STACKS_H

/* The kernel's own ceiling, kernel.perf_event_max_stack, unless raised. */
#define FP_MAX_DEPTH 127
#define FP_COMM_LEN 16

/* fp_key.flags: which side is cut off at the depth limit … */
#define FP_KERNEL_CUT 0x1
#define FP_USER_CUT 0x2
/* … and why a side could not be read: the errno bpf_get_stack gave. */
#define FP_KERNEL_ERRNO_SHIFT 8
#define FP_USER_ERRNO_SHIFT 16

/* What is counted apart. */
struct fp_key {
	/* of caller and frames; seeded afresh for every session */
	__u64 hash[2];
	__u32 tgid;
	/* 0 unless threads are counted apart */
	__u32 tid;
	/* index of the event on the command line */
	__u32 event;
	__u32 flags;
	char comm[FP_COMM_LEN];
};

struct fp_count {
	__u64 events;
	/* whether a record with its frames has gone into the ring buffer */
	__u64 announced;
};

/* One stack, sent when its key is first counted, or for each event that could not be counted. */
struct fp_record {
	struct fp_key key;
	/* events it stands for by itself: 0 where fp_count has them, else 1 */
	__u32 weight;
	/* a thread that had this stack */
	__u32 tid;
	__u32 kernel_frames;
	__u32 user_frames;
	/* bpf_ktime_get_ns: tells what the process had mapped then */
	__u64 time;
	/* the link register at function entry: the caller no frame record holds yet; 0 where unknown */
	__u64 caller;
	/* followed by __u64 frames[]: kernel_frames, innermost first, then user_frames */
};

/* Indexes of fp_cpu.totals. seen = counted + streamed + unsent. */
enum fp_total {
	/* events that passed the filters */
	FP_SEEN,
	/* … added to a fp_count */
	FP_COUNTED,
	/* … sent one by one, because no fp_count could be had */
	FP_STREAMED,
	/* … neither: the ring buffer was full */
	FP_UNSENT,
	FP_TOTALS,
};

#endif
