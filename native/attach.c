#include "attach.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "handle.h"
#include "object.h"

void close_link(struct link *link)
{
	struct object *object = link->object;

	if (!link->bpf)
		return;
	bpf_link__destroy(link->bpf);
	link->bpf = NULL;
	list_remove(&link->node);
	release_object(object);
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	close_link(data);
	free(data);
}

/* bpf: NULL where attaching failed and set errno. */
static napi_value hold(napi_env env, struct object *object, struct bpf_link *bpf)
{
	struct link *link;
	napi_value handle;

	if (!bpf)
		return number(env, plain_error(-errno));
	link = malloc(sizeof(*link));
	if (!link) {
		bpf_link__destroy(bpf);
		return number(env, -ENOMEM);
	}
	link->bpf = bpf;
	link->object = object;
	object->references++;
	list_add(&object->links, &link->node);
	handle = make_handle(env, &link_tag, link, finalize);
	if (!handle)
		finalize(env, link, NULL);
	return handle;
}

napi_value js_attach_kprobe(napi_env env, napi_callback_info info)
{
	LIBBPF_OPTS(bpf_kprobe_opts, options);
	napi_value argument[5];
	struct object *object;
	struct bpf_program *program;
	struct text name, symbol;
	uint32_t offset;
	int error;

	if (!take_arguments(env, info, argument, 5) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_text(env, argument[2], &symbol) ||
	    !take_uint32(env, argument[3], &offset) || !take_bool(env, argument[4], &options.retprobe))
		return NULL;
	error = find_program(object, &name, &program);
	if (!error)
		error = symbol.error;
	if (error)
		return number(env, error);
	options.offset = offset;
	return hold(env, object, bpf_program__attach_kprobe_opts(program, symbol.bytes, &options));
}

napi_value js_attach_tracepoint(napi_env env, napi_callback_info info)
{
	napi_value argument[4];
	struct object *object;
	struct bpf_program *program;
	struct text name, category, event;
	int error;

	if (!take_arguments(env, info, argument, 4) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_text(env, argument[2], &category) ||
	    !take_text(env, argument[3], &event))
		return NULL;
	error = find_program(object, &name, &program);
	if (!error)
		error = category.error ? category.error : event.error;
	if (error)
		return number(env, error);
	return hold(env, object, bpf_program__attach_tracepoint(program, category.bytes, event.bytes));
}

struct perf_event {
	struct perf_event_attr attributes;
	int32_t pid, cpu;
};

static bool take_field(napi_env env, napi_value from, const char *name, napi_value *value)
{
	if (napi_get_named_property(env, from, name, value) == napi_ok)
		return true;
	type_error(env, "expected an event");
	return false;
}

static bool take_perf_event(napi_env env, napi_value from, struct perf_event *event)
{
	napi_value type, config, period, frequency, pid, cpu;
	uint64_t config_bits, rate;
	bool by_frequency;

	if (!take_field(env, from, "type", &type) || !take_field(env, from, "config", &config) ||
	    !take_field(env, from, "period", &period) || !take_field(env, from, "frequency", &frequency) ||
	    !take_field(env, from, "pid", &pid) || !take_field(env, from, "cpu", &cpu))
		return false;
	by_frequency = !is_undefined(env, frequency);
	if (by_frequency == !is_undefined(env, period)) {
		type_error(env, "expected either period or frequency");
		return false;
	}
	*event = (struct perf_event){.attributes = {.size = sizeof(event->attributes), .disabled = 1}};
	if (!take_uint32(env, type, &event->attributes.type) || !take_uint64(env, config, &config_bits) ||
	    !take_uint64(env, by_frequency ? frequency : period, &rate) || !take_int32(env, pid, &event->pid) ||
	    !take_int32(env, cpu, &event->cpu))
		return false;
	event->attributes.config = config_bits;
	event->attributes.freq = by_frequency;
	event->attributes.sample_period = rate;
	return true;
}

napi_value js_attach_perf_event(napi_env env, napi_callback_info info)
{
	napi_value argument[3];
	struct object *object;
	struct bpf_program *program;
	struct bpf_link *link;
	struct text name;
	struct perf_event event;
	int fd, error;

	if (!take_arguments(env, info, argument, 3) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_perf_event(env, argument[2], &event))
		return NULL;
	error = find_program(object, &name, &program);
	if (error)
		return number(env, error);
	fd = (int)syscall(SYS_perf_event_open, &event.attributes, event.pid, event.cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return number(env, -errno);
	/* from here on the link owns fd; it also enables the event */
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		error = errno;
		close(fd);
		errno = error;
	}
	return hold(env, object, link);
}

napi_value js_close_link(napi_env env, napi_callback_info info)
{
	napi_value argument[1];
	void *link;

	if (take_arguments(env, info, argument, 1) && take_handle(env, argument[0], &link_tag, &link))
		close_link(link);
	return NULL;
}
