/*
 * Stands in for Node where there is none built with musl: as much of Node-API
 * and libuv as the addon calls, and a main that uses the addon through it.
 *
 * usage: musl_host ADDON version
 *        musl_host ADDON count OBJECT EVENTS
 */
#define NAPI_VERSION 8
#include <node_api.h>

#include <dirent.h>
#include <dlfcn.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __aarch64__
#define EVENT_FUNCTION "__arm64_sys_umask"
#else
#define EVENT_FUNCTION "__x64_sys_umask"
#endif

/* A JavaScript value. None is ever freed: the process is short. */
struct value {
	napi_valuetype type;
	double number;
	const char *string;
	uint8_t *bytes;
	size_t length;
	bool is_array;
	struct property {
		const char *name;
		struct value *value;
	} properties[64];
	size_t count;
	void *wrapped;
	const napi_type_tag *tag;
	napi_callback function;
};

static struct value undefined = {.type = napi_undefined};

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "musl_host: %s: %s\n", what, why);
	exit(1);
}

static struct value *of(napi_value value)
{
	return (struct value *)value;
}

static struct value *make(napi_valuetype type)
{
	struct value *value = calloc(1, sizeof(*value));

	if (!value)
		fail("make", "no memory");
	value->type = type;
	return value;
}

static napi_status answer(napi_value *result, struct value *value)
{
	*result = (napi_value)value;
	return napi_ok;
}

/* What the addon calls, in the order of allowed-symbols.txt. */

struct napi_async_cleanup_hook_handle__ {
	napi_async_cleanup_hook hook;
	void *data;
	bool removed;
};
static struct napi_async_cleanup_hook_handle__ cleanup;

napi_status napi_add_async_cleanup_hook(node_api_basic_env env, napi_async_cleanup_hook hook, void *data,
					napi_async_cleanup_hook_handle *handle)
{
	cleanup.hook = hook;
	cleanup.data = data;
	if (handle)
		*handle = &cleanup;
	return napi_ok;
}

napi_status napi_async_destroy(napi_env env, napi_async_context context)
{
	return napi_ok;
}

napi_status napi_async_init(napi_env env, napi_value resource, napi_value name, napi_async_context *result)
{
	*result = NULL;
	return napi_ok;
}

napi_status napi_check_object_type_tag(napi_env env, napi_value value, const napi_type_tag *tag, bool *result)
{
	*result = of(value)->tag && !memcmp(of(value)->tag, tag, sizeof(*tag));
	return napi_ok;
}

napi_status napi_close_callback_scope(napi_env env, napi_callback_scope scope)
{
	return napi_ok;
}

napi_status napi_close_handle_scope(napi_env env, napi_handle_scope scope)
{
	return napi_ok;
}

napi_status napi_create_array(napi_env env, napi_value *result)
{
	struct value *array = make(napi_object);

	array->is_array = true;
	return answer(result, array);
}

napi_status napi_create_double(napi_env env, double number, napi_value *result)
{
	struct value *value = make(napi_number);

	value->number = number;
	return answer(result, value);
}

napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback function, void *data,
				 napi_value *result)
{
	struct value *value = make(napi_function);

	value->function = function;
	return answer(result, value);
}

napi_status napi_create_object(napi_env env, napi_value *result)
{
	return answer(result, make(napi_object));
}

/* The deferred is the promise: what it is resolved with becomes its wrapped value. */
napi_status napi_create_promise(napi_env env, napi_deferred *deferred, napi_value *promise)
{
	struct value *value = make(napi_object);

	*deferred = (napi_deferred)value;
	return answer(promise, value);
}

napi_status napi_create_reference(napi_env env, napi_value value, uint32_t count, napi_ref *result)
{
	*result = (napi_ref)value;
	return napi_ok;
}

napi_status napi_create_string_utf8(napi_env env, const char *string, size_t length, napi_value *result)
{
	struct value *value = make(napi_string);

	value->string = length == NAPI_AUTO_LENGTH ? strdup(string) : strndup(string, length);
	return answer(result, value);
}

napi_status napi_delete_reference(node_api_basic_env env, napi_ref reference)
{
	return napi_ok;
}

struct napi_callback_info__ {
	size_t count;
	napi_value arguments[8];
};

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *count, napi_value *arguments,
			     napi_value *receiver, void **data)
{
	size_t i;

	for (i = 0; i < *count; i++)
		arguments[i] = i < info->count ? info->arguments[i] : (napi_value)&undefined;
	*count = info->count;
	return napi_ok;
}

static void *instance;

napi_status napi_get_instance_data(node_api_basic_env env, void **data)
{
	*data = instance;
	return napi_ok;
}

napi_status napi_get_named_property(napi_env env, napi_value object, const char *name, napi_value *result)
{
	size_t i;

	for (i = 0; i < of(object)->count; i++)
		if (of(object)->properties[i].name && !strcmp(of(object)->properties[i].name, name))
			return answer(result, of(object)->properties[i].value);
	return answer(result, &undefined);
}

napi_status napi_get_reference_value(napi_env env, napi_ref reference, napi_value *result)
{
	return answer(result, (struct value *)reference);
}

napi_status napi_get_typedarray_info(napi_env env, napi_value value, napi_typedarray_type *type, size_t *length,
				     void **data, napi_value *buffer, size_t *offset)
{
	*type = napi_uint8_array;
	*length = of(value)->length;
	*data = of(value)->bytes;
	return napi_ok;
}

napi_status napi_get_uv_event_loop(node_api_basic_env env, struct uv_loop_s **loop)
{
	*loop = NULL;
	return napi_ok;
}

napi_status napi_get_value_bigint_uint64(napi_env env, napi_value value, uint64_t *result, bool *lossless)
{
	return napi_bigint_expected;
}

napi_status napi_get_value_bool(napi_env env, napi_value value, bool *result)
{
	if (of(value)->type != napi_boolean)
		return napi_boolean_expected;
	*result = of(value)->number != 0;
	return napi_ok;
}

napi_status napi_get_value_double(napi_env env, napi_value value, double *result)
{
	if (of(value)->type != napi_number)
		return napi_number_expected;
	*result = of(value)->number;
	return napi_ok;
}

napi_status napi_get_value_string_utf8(napi_env env, napi_value value, char *to, size_t room, size_t *length)
{
	if (of(value)->type != napi_string)
		return napi_string_expected;
	*length = strlen(of(value)->string);
	if (to)
		snprintf(to, room, "%s", of(value)->string);
	return napi_ok;
}

napi_status napi_is_typedarray(napi_env env, napi_value value, bool *result)
{
	*result = of(value)->bytes != NULL;
	return napi_ok;
}

napi_status napi_open_callback_scope(napi_env env, napi_value resource, napi_async_context context,
				     napi_callback_scope *result)
{
	*result = NULL;
	return napi_ok;
}

napi_status napi_open_handle_scope(napi_env env, napi_handle_scope *result)
{
	*result = NULL;
	return napi_ok;
}

napi_status napi_remove_async_cleanup_hook(napi_async_cleanup_hook_handle handle)
{
	handle->removed = true;
	return napi_ok;
}

napi_status napi_resolve_deferred(napi_env env, napi_deferred deferred, napi_value resolution)
{
	((struct value *)deferred)->wrapped = resolution;
	return napi_ok;
}

static napi_status add(napi_value object, const char *name, napi_value value)
{
	struct value *to = of(object);

	if (to->count == sizeof(to->properties) / sizeof(*to->properties))
		fail("add", "too many properties");
	to->properties[to->count++] = (struct property){name, of(value)};
	return napi_ok;
}

napi_status napi_set_element(napi_env env, napi_value object, uint32_t index, napi_value value)
{
	return add(object, NULL, value);
}

napi_status napi_set_instance_data(node_api_basic_env env, void *data, napi_finalize finalize, void *hint)
{
	instance = data;
	return napi_ok;
}

napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value)
{
	return add(object, name, value);
}

napi_status napi_throw_type_error(napi_env env, const char *code, const char *message)
{
	fail("TypeError", message);
	return napi_ok;
}

napi_status napi_type_tag_object(napi_env env, napi_value value, const napi_type_tag *tag)
{
	of(value)->tag = tag;
	return napi_ok;
}

napi_status napi_typeof(napi_env env, napi_value value, napi_valuetype *result)
{
	*result = of(value)->type;
	return napi_ok;
}

napi_status napi_unwrap(napi_env env, napi_value value, void **result)
{
	*result = of(value)->wrapped;
	return napi_ok;
}

napi_status napi_wrap(napi_env env, napi_value value, void *data, napi_finalize finalize, void *hint, napi_ref *result)
{
	of(value)->wrapped = data;
	return napi_ok;
}

struct poll_handle {
	void *data;
	int fd;
	void (*heard)(struct poll_handle *handle, int status, int events);
};
static struct poll_handle *polled;

size_t uv_handle_size(int type)
{
	return sizeof(struct poll_handle);
}

void *uv_handle_get_data(const struct poll_handle *handle)
{
	return handle->data;
}

void uv_handle_set_data(struct poll_handle *handle, void *data)
{
	handle->data = data;
}

int uv_poll_init(void *loop, struct poll_handle *handle, int fd)
{
	handle->fd = fd;
	return 0;
}

int uv_poll_start(struct poll_handle *handle, int events, void (*heard)(struct poll_handle *, int, int))
{
	handle->heard = heard;
	polled = handle;
	return 0;
}

int uv_poll_stop(struct poll_handle *handle)
{
	polled = NULL;
	return 0;
}

void uv_close(struct poll_handle *handle, void (*closed)(struct poll_handle *))
{
	closed(handle);
}

/* The other side: what a JavaScript program would do. */

static struct value *exports;

static struct value *call(const char *name, size_t count, ...)
{
	struct napi_callback_info__ info = {.count = count};
	napi_value function;
	va_list arguments;
	size_t i;

	va_start(arguments, count);
	for (i = 0; i < count; i++)
		info.arguments[i] = va_arg(arguments, napi_value);
	va_end(arguments);
	napi_get_named_property(NULL, (napi_value)exports, name, &function);
	if (of(function)->type != napi_function)
		fail(name, "no such function");
	return of(of(function)->function(NULL, &info));
}

static struct value *string(const char *characters)
{
	struct value *value = make(napi_string);

	value->string = characters;
	return value;
}

static struct value *number(double of_it)
{
	struct value *value = make(napi_number);

	value->number = of_it;
	return value;
}

static struct value *bytes(void *data, size_t length)
{
	struct value *value = make(napi_object);

	value->bytes = data;
	value->length = length;
	return value;
}

static struct value *handle(struct value *value, const char *what)
{
	char why[64];

	if (value && value->type == napi_object)
		return value;
	snprintf(why, sizeof(why), "answered %.0f", value ? value->number : 0);
	fprintf(stderr, "%s", call("takeLog", 0)->string);
	fail(what, why);
	return NULL;
}

static void zero(struct value *value, const char *what)
{
	if (value->type != napi_number || value->number != 0)
		handle(value, what);
}

static struct value *whole_file(const char *path)
{
	static uint8_t contents[1 << 20];
	FILE *file = fopen(path, "r");
	size_t length = file ? fread(contents, 1, sizeof(contents), file) : 0;

	if (length == 0 || length == sizeof(contents))
		fail(path, "cannot be read");
	fclose(file);
	return bytes(contents, length);
}

static void expect(const char *what, long long found, long long expected)
{
	char why[96];

	snprintf(why, sizeof(why), "%lld, not %lld", found, expected);
	if (found != expected)
		fail(what, why);
}

/* Whole, in order: the probe numbers its records. */
static long long read_records(struct value *ring)
{
	static uint8_t room[1024];
	long long next = 0;

	for (;;) {
		struct value *used = call("readRing", 2, ring, bytes(room, sizeof(room)));
		size_t at = 0;

		if (used->number < 0)
			handle(used, "readRing");
		if (used->number == 0)
			return next;
		while (at < (size_t)used->number) {
			uint32_t length;
			uint64_t which;

			memcpy(&length, room + at, sizeof(length));
			memcpy(&which, room + at + 4, sizeof(which));
			expect("record", (long long)which, next++);
			at += (4 + (size_t)length + 7) & ~(size_t)7;
		}
	}
}

static int bpf_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	int found = 0;

	while ((entry = readdir(folder))) {
		char target[256] = "";

		if (readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1) > 0 && strstr(target, "bpf"))
			found++;
	}
	closedir(folder);
	return found;
}

static void count(const char *path, int events)
{
	uint32_t own_tid = (uint32_t)getpid(), key = 0;
	uint64_t total = 0;
	struct value *no = make(napi_boolean);
	struct value *object = handle(call("openObject", 3, whole_file(path), string("probe"), &undefined), "openObject");
	struct value *ring, *link, *wait;
	int i;

	zero(call("setGlobal", 3, object, string("own_tid"), bytes(&own_tid, 4)), "setGlobal");
	zero(call("load", 1, object), "load");
	ring = handle(call("openRing", 2, object, string("records")), "openRing");
	wait = call("waitRing", 1, ring);
	link = handle(call("attachKprobe", 5, object, string("on_event"), string(EVENT_FUNCTION), number(0), no),
		      "attachKprobe");
	for (i = 0; i < events; i++)
		umask(022);
	call("closeLink", 1, link);
	if (polled && poll(&(struct pollfd){.fd = polled->fd, .events = POLLIN}, 1, 5000) == 1)
		polled->heard(polled, 0, 1);
	if (!wait->wrapped)
		fail("waitRing", "not resolved");
	expect("waitRing", (long long)((struct value *)wait->wrapped)->number, 1);
	expect("records", read_records(ring), events);
	zero(call("lookup", 4, object, string("total"), bytes(&key, 4), bytes(&total, 8)), "lookup");
	expect("total", (long long)total, events);
	if (bpf_descriptors() == 0)
		fail("descriptors", "none, so the test sees none");
	cleanup.hook(&cleanup, cleanup.data);
	expect("cleaned up", cleanup.removed, 1);
	expect("descriptors left", bpf_descriptors(), 0);
	printf("%d events\n", events);
}

int main(int arguments, char **argument)
{
	napi_value (*initialize)(napi_env env, napi_value exports);
	void *addon;

	if (arguments < 3)
		fail("usage", "ADDON version | ADDON count OBJECT EVENTS");
	addon = dlopen(argument[1], RTLD_NOW | RTLD_LOCAL);
	if (!addon)
		fail("dlopen", dlerror());
	*(void **)&initialize = dlsym(addon, "napi_register_module_v1");
	if (!initialize)
		fail("dlsym", dlerror());
	exports = make(napi_object);
	if (!initialize(NULL, (napi_value)exports))
		fail("register", "refused");
	if (!strcmp(argument[2], "version"))
		printf("libbpf %s\n", call("libbpfVersion", 0)->string);
	else if (!strcmp(argument[2], "count") && arguments == 5)
		count(argument[3], atoi(argument[4]));
	else
		fail(argument[2], "no such thing to do");
	return 0;
}
