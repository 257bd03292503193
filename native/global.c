#include "global.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "object.h"

static bool holds_globals(const char *section)
{
	static const char *const prefixes[] = {".rodata", ".data", ".bss"};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t length = strlen(prefixes[i]);

		if (!strncmp(section, prefixes[i], length) && (section[length] == '\0' || section[length] == '.'))
			return true;
	}
	return false;
}

static const struct btf_var_secinfo *find_in(const struct btf *btf, const struct btf_type *section, const char *name)
{
	const struct btf_var_secinfo *row = btf_var_secinfos(section);
	unsigned i;

	for (i = 0; i < btf_vlen(section); i++, row++) {
		const struct btf_type *variable = btf__type_by_id(btf, row->type);
		const char *found = variable && btf_is_var(variable) ? btf__name_by_offset(btf, variable->name_off) : NULL;

		if (found && !strcmp(found, name))
			return row;
	}
	return NULL;
}

/* The object's BTF is input too: its offsets are held against the size of what they point into. */
static int write_at(struct bpf_map *map, const struct btf_var_secinfo *row, const struct bytes *value)
{
	size_t room;
	char *initial = bpf_map__initial_value(map, &room);

	if (!initial)
		return -ENOENT;
	if (value->length != row->size || row->offset > room || value->length > room - row->offset)
		return -EINVAL;
	memcpy(initial + row->offset, value->data, value->length);
	return 0;
}

static int set_global(struct object *object, const struct text *name, const struct bytes *value)
{
	const struct btf *btf;
	__u32 id;

	if (!object->bpf)
		return -EBADF;
	if (name->error)
		return name->error;
	if (object->loaded)
		return -EBUSY;
	btf = bpf_object__btf(object->bpf);
	if (!btf)
		return -ENOENT;
	for (id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *section = btf_is_datasec(type) ? btf__name_by_offset(btf, type->name_off) : NULL;
		const struct btf_var_secinfo *row;
		struct bpf_map *map;

		if (!section || !holds_globals(section))
			continue;
		row = find_in(btf, type, name->bytes);
		map = row ? bpf_object__find_map_by_name(object->bpf, section) : NULL;
		if (map)
			return write_at(map, row, value);
	}
	return -ENOENT;
}

napi_value js_set_global(napi_env env, napi_callback_info info)
{
	napi_value argument[3];
	struct object *object;
	struct text name;
	struct bytes value;

	if (!take_arguments(env, info, argument, 3) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_bytes(env, argument[2], &value))
		return NULL;
	return number(env, set_global(object, &name, &value));
}
