import type { Arch } from '../../scripts/cross/arch.ts'

/** What test/programs/demo.h says calls what, innermost first. */
export const demoChain = [
  'demo_open_configuration_file',
  'demo_load_configuration',
  'demo_handle_request',
  'demo_serve_requests',
  'main',
]

/**
 * From do_sys_openat2 out to user space. Compilers inlined some of it in some kernels
 * (invoke_syscall of arm64 5.10, x64_sys_call), and 5.10 has older names of the exception entry.
 */
export const openChain: Readonly<Record<Arch['name'], RegExp>> = {
  arm64:
    /^do_sys_openat2 __arm64_sys_openat (invoke_syscall\S* )?el0_svc_common\S* do_el0_svc el0_svc (el0t_64|el0)_sync_handler (el0t_64|el0)_sync$/,
  x64: /^do_sys_openat2 __x64_sys_openat (x64_sys_call )?do_syscall_64 entry_SYSCALL_64_after_hwframe$/,
}

/** Where a static program's main is called from; x86_64's glibc keeps no frame pointers, and the stack says so. */
export const startChain: Readonly<Record<Arch['name'], readonly string[]>> = {
  arm64: ['__libc_start_call_main', '__libc_start_main', '_start'],
  x64: ['__libc_start_call_main'],
}
