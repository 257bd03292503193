#include <bpf/libbpf.h>
#include <node_api.h>

#include "attach.h"
#include "global.h"
#include "instance.h"
#include "kernel.h"
#include "log.h"
#include "map.h"
#include "object.h"
#include "ring.h"
#include "sideband.h"
#include "value.h"

static napi_value js_libbpf_version(napi_env env, napi_callback_info info)
{
	(void)info;
	/* "v1.5" */
	return text(env, libbpf_version_string() + 1);
}

/* The interface Addon in runner/native.ts, in its order. */
static const struct {
	const char *name;
	napi_callback function;
} functions[] = {
	{"libbpfVersion", js_libbpf_version},
	{"takeLog", take_log},
	{"openObject", js_open_object},
	{"closeObject", js_close_object},
	{"programs", js_programs},
	{"maps", js_maps},
	{"setAutoload", js_set_autoload},
	{"setAutocreate", js_set_autocreate},
	{"setMaxEntries", js_set_max_entries},
	{"setGlobal", js_set_global},
	{"shareMap", js_share_map},
	{"load", js_load},
	{"programStatus", js_program_status},
	{"attachKprobe", js_attach_kprobe},
	{"attachTracepoint", js_attach_tracepoint},
	{"attachPerfEvent", js_attach_perf_event},
	{"closeLink", js_close_link},
	{"possibleCpus", js_possible_cpus},
	{"lookup", js_lookup},
	{"update", js_update},
	{"readMap", js_read_map},
	{"openRing", js_open_ring},
	{"waitRing", js_wait_ring},
	{"cancelRing", js_cancel_ring},
	{"readRing", js_read_ring},
	{"closeRing", js_close_ring},
	{"openSideband", js_open_sideband},
	{"readSideband", js_read_sideband},
	{"closeSideband", js_close_sideband},
	{"kernelPrograms", js_kernel_programs},
	{"kernelLinks", js_kernel_links},
};

NAPI_MODULE_INIT()
{
	size_t i;

	if (!make_instance(env))
		return NULL;
	keep_log();
	for (i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		napi_value function;

		if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL,
					 &function) != napi_ok)
			return NULL;
		set(env, exports, functions[i].name, function);
	}
	return exports;
}
