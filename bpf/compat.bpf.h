/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where kernels and architectures differ; nowhere else. */
#ifndef COMPAT_BPF_H
#define COMPAT_BPF_H

/*
 * The caller's address while a function has not yet run an instruction, 0 where
 * the stack walk has it anyway.
 *
 * arm64: x30. The kernel's pt_regs begins with user_pt_regs, whose regs[31] is
 * ABI (arch/arm64/include/uapi/asm/ptrace.h), so it is read by its place: a
 * CO-RE relocation would make libbpf parse the kernel's whole BTF. It is not yet
 * signed: paciasp is an instruction of the function.
 * x86: the walk begins at the return address on the stack (ORC, or
 * arch/x86/kernel/unwind_frame.c's own handling of function entry).
 */
static __always_inline __u64 caller_at_entry(void *regs)
{
#if defined(__TARGET_ARCH_arm64)
	return ((__u64 *)regs)[30];
#else
	return 0;
#endif
}

/*
 * The current thread's name, zero to its end so that it can be a key. Kernel
 * 6.1's bpf_get_current_comm leaves the bytes behind the terminator as they
 * were; 5.10, 6.12 and 7.2 clear them. Unnoticed, it fails two of three events
 * at a filter by name.
 */
static __always_inline void current_comm(char comm[16])
{
	__builtin_memset(comm, 0, 16);
	bpf_get_current_comm(comm, 16);
}

#endif
