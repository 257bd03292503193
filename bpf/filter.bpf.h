/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which events count. Included once by a program that takes fpstack's filters. */
#ifndef FILTER_BPF_H
#define FILTER_BPF_H

#define FILTER_ENTRIES 1024

const volatile bool filter_comm;
const volatile bool filter_tgid;
/* fpstack itself: it opens files and reads maps while it names frames */
const volatile __u32 own_tgid;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FILTER_ENTRIES);
	__type(key, char[16]);
	__type(value, __u8);
} comms SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FILTER_ENTRIES);
	__type(key, __u32);
	__type(value, __u8);
} tgids SEC(".maps");

static __always_inline bool passes_filter(__u32 tgid, const char *comm)
{
	if (tgid == own_tgid)
		return false;
	if (filter_tgid && !bpf_map_lookup_elem(&tgids, &tgid))
		return false;
	if (filter_comm && !bpf_map_lookup_elem(&comms, comm))
		return false;
	return true;
}

#endif
