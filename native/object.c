#include "object.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "handle.h"
#include "instance.h"
#include "ring.h"

bool take_object(napi_env env, napi_value value, struct object **object)
{
	void *data;

	if (!take_handle(env, value, &object_tag, &data))
		return false;
	*object = data;
	return true;
}

void close_object(struct object *object)
{
	if (!object->bpf)
		return;
	/* each of the loops drops references, never the one that called us */
	object->references++;
	while (!list_empty(&object->links))
		close_link(owner_of(object->links.next, struct link, node));
	while (!list_empty(&object->rings))
		close_ring(ring_of(object->rings.next));
	bpf_object__close(object->bpf);
	object->bpf = NULL;
	list_remove(&object->node);
	release_object(object);
}

void release_object(struct object *object)
{
	if (object->references > 1) {
		object->references--;
		return;
	}
	close_object(object);
	free(object);
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	release_object(data);
}

int plain_error(int error)
{
	switch (-error) {
	case LIBBPF_ERRNO__LIBELF:
	case LIBBPF_ERRNO__FORMAT:
	case LIBBPF_ERRNO__ENDIAN:
	case LIBBPF_ERRNO__RELOC:
	case LIBBPF_ERRNO__INTERNAL:
		return -ENOEXEC;
	case LIBBPF_ERRNO__KVERSION:
	case LIBBPF_ERRNO__KVER:
	case LIBBPF_ERRNO__PROGTYPE:
		return -EOPNOTSUPP;
	case LIBBPF_ERRNO__LOAD:
	case LIBBPF_ERRNO__VERIFY:
		return -EACCES;
	case LIBBPF_ERRNO__PROG2BIG:
		return -E2BIG;
	default:
		return error;
	}
}

int find_program(const struct object *object, const struct text *name, struct bpf_program **program)
{
	if (!object->bpf)
		return -EBADF;
	if (name->error)
		return name->error;
	*program = bpf_object__find_program_by_name(object->bpf, name->bytes);
	return *program ? 0 : -ENOENT;
}

int find_map(const struct object *object, const struct text *name, struct bpf_map **map)
{
	if (!object->bpf)
		return -EBADF;
	if (name->error)
		return name->error;
	*map = bpf_object__find_map_by_name(object->bpf, name->bytes);
	return *map ? 0 : -ENOENT;
}

/* libbpf reads the bytes only while it opens, yet may swap them in place, so it gets a copy. */
static struct bpf_object *open_copy(const struct bytes *bytes, const char *name, const char *btf)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name, .btf_custom_path = btf);
	struct bpf_object *bpf;
	void *copy;
	int error;

	if (bytes->length == 0) {
		errno = EINVAL;
		return NULL;
	}
	copy = malloc(bytes->length);
	if (!copy)
		return NULL;
	memcpy(copy, bytes->data, bytes->length);
	bpf = bpf_object__open_mem(copy, bytes->length, &options);
	error = errno;
	free(copy);
	errno = error;
	return bpf;
}

napi_value js_open_object(napi_env env, napi_callback_info info)
{
	napi_value argument[3], handle;
	struct object *object;
	struct bytes bytes;
	struct text name, btf = {.error = 0};
	bool own_btf;

	if (!take_arguments(env, info, argument, 3) || !take_bytes(env, argument[0], &bytes) ||
	    !take_text(env, argument[1], &name))
		return NULL;
	own_btf = !is_undefined(env, argument[2]);
	if (own_btf && !take_text(env, argument[2], &btf))
		return NULL;
	if (name.error || btf.error)
		return number(env, name.error ? name.error : btf.error);
	object = calloc(1, sizeof(*object));
	if (!object)
		return number(env, -ENOMEM);
	list_init(&object->links);
	list_init(&object->rings);
	object->references = 1;
	object->bpf = open_copy(&bytes, name.bytes, own_btf ? btf.bytes : NULL);
	if (!object->bpf) {
		int error = plain_error(-errno);

		free(object);
		return number(env, error);
	}
	list_add(&instance_of(env)->objects, &object->node);
	handle = make_handle(env, &object_tag, object, finalize);
	if (!handle)
		release_object(object);
	return handle;
}

napi_value js_close_object(napi_env env, napi_callback_info info)
{
	napi_value argument[1];
	struct object *object;

	if (take_arguments(env, info, argument, 1) && take_object(env, argument[0], &object))
		close_object(object);
	return NULL;
}

static napi_value describe_program(napi_env env, const struct bpf_program *program)
{
	napi_value row;

	if (napi_create_object(env, &row) != napi_ok)
		return NULL;
	set(env, row, "name", text(env, bpf_program__name(program)));
	set(env, row, "section", text(env, bpf_program__section_name(program)));
	set(env, row, "type", number(env, bpf_program__type(program)));
	return row;
}

napi_value js_programs(napi_env env, napi_callback_info info)
{
	napi_value argument[1], rows, row;
	struct object *object;
	struct bpf_program *program;
	uint32_t count = 0;

	if (!take_arguments(env, info, argument, 1) || !take_object(env, argument[0], &object) ||
	    napi_create_array(env, &rows) != napi_ok)
		return NULL;
	if (!object->bpf)
		return rows;
	bpf_object__for_each_program(program, object->bpf) {
		row = describe_program(env, program);
		if (!row || napi_set_element(env, rows, count++, row) != napi_ok)
			return NULL;
	}
	return rows;
}

static napi_value describe_map(napi_env env, const struct bpf_map *map)
{
	napi_value row;

	if (napi_create_object(env, &row) != napi_ok)
		return NULL;
	set(env, row, "name", text(env, bpf_map__name(map)));
	set(env, row, "type", number(env, bpf_map__type(map)));
	set(env, row, "keySize", number(env, bpf_map__key_size(map)));
	set(env, row, "valueSize", number(env, bpf_map__value_size(map)));
	set(env, row, "maxEntries", number(env, bpf_map__max_entries(map)));
	return row;
}

napi_value js_maps(napi_env env, napi_callback_info info)
{
	napi_value argument[1], rows, row;
	struct object *object;
	struct bpf_map *map;
	uint32_t count = 0;

	if (!take_arguments(env, info, argument, 1) || !take_object(env, argument[0], &object) ||
	    napi_create_array(env, &rows) != napi_ok)
		return NULL;
	if (!object->bpf)
		return rows;
	bpf_object__for_each_map(map, object->bpf) {
		row = describe_map(env, map);
		if (!row || napi_set_element(env, rows, count++, row) != napi_ok)
			return NULL;
	}
	return rows;
}

napi_value js_set_autoload(napi_env env, napi_callback_info info)
{
	napi_value argument[3];
	struct object *object;
	struct bpf_program *program;
	struct text name;
	bool on;
	int error;

	if (!take_arguments(env, info, argument, 3) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_bool(env, argument[2], &on))
		return NULL;
	error = find_program(object, &name, &program);
	if (!error)
		error = bpf_program__set_autoload(program, on);
	return number(env, error);
}

napi_value js_set_autocreate(napi_env env, napi_callback_info info)
{
	napi_value argument[3];
	struct object *object;
	struct bpf_map *map;
	struct text name;
	bool on;
	int error;

	if (!take_arguments(env, info, argument, 3) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_bool(env, argument[2], &on))
		return NULL;
	error = find_map(object, &name, &map);
	if (!error)
		error = bpf_map__set_autocreate(map, on);
	return number(env, error);
}

napi_value js_set_max_entries(napi_env env, napi_callback_info info)
{
	napi_value argument[3];
	struct object *object;
	struct bpf_map *map;
	struct text name;
	uint32_t entries;
	int error;

	if (!take_arguments(env, info, argument, 3) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_uint32(env, argument[2], &entries))
		return NULL;
	error = find_map(object, &name, &map);
	if (!error)
		error = bpf_map__set_max_entries(map, entries);
	return number(env, error);
}

napi_value js_share_map(napi_env env, napi_callback_info info)
{
	napi_value argument[3];
	struct object *object, *from;
	struct bpf_map *map, *shared;
	struct text name;
	int error;

	if (!take_arguments(env, info, argument, 3) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_object(env, argument[2], &from))
		return NULL;
	error = find_map(object, &name, &map);
	if (!error)
		error = find_map(from, &name, &shared);
	/* libbpf would replace a map that programs already use */
	if (!error && object->loaded)
		error = -EBUSY;
	if (!error)
		error = bpf_map__reuse_fd(map, bpf_map__fd(shared));
	return number(env, error);
}

napi_value js_load(napi_env env, napi_callback_info info)
{
	napi_value argument[1];
	struct object *object;

	if (!take_arguments(env, info, argument, 1) || !take_object(env, argument[0], &object))
		return NULL;
	if (!object->bpf)
		return number(env, -EBADF);
	if (object->loaded)
		return number(env, -EBUSY);
	object->loaded = true;
	return number(env, plain_error(bpf_object__load(object->bpf)));
}

static napi_value describe_status(napi_env env, const struct bpf_prog_info *info)
{
	char tag[2 * sizeof(info->tag) + 1];
	napi_value status;
	size_t i;

	if (napi_create_object(env, &status) != napi_ok)
		return NULL;
	for (i = 0; i < sizeof(info->tag); i++)
		snprintf(tag + 2 * i, 3, "%02x", info->tag[i]);
	set(env, status, "id", number(env, info->id));
	set(env, status, "tag", text(env, tag));
	set(env, status, "recursionMisses", number(env, (double)info->recursion_misses));
	set(env, status, "jitedBytes", number(env, info->jited_prog_len));
	return status;
}

napi_value js_program_status(napi_env env, napi_callback_info info)
{
	napi_value argument[2];
	struct object *object;
	struct bpf_program *program;
	struct bpf_prog_info status = {0};
	uint32_t length = sizeof(status);
	struct text name;
	int error;

	if (!take_arguments(env, info, argument, 2) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name))
		return NULL;
	error = find_program(object, &name, &program);
	if (!error) {
		error = bpf_program__fd(program);
		if (error >= 0)
			error = bpf_prog_get_info_by_fd(error, &status, &length);
	}
	return error ? number(env, error) : describe_status(env, &status);
}
