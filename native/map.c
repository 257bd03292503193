#include "map.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "object.h"

/* The kernel's own ENOTSUPP, which it should not, but does, answer where a map has no batches. */
#define KERNEL_ENOTSUPP 524

napi_value js_possible_cpus(napi_env env, napi_callback_info info)
{
	(void)info;
	return number(env, libbpf_num_possible_cpus());
}

/* libbpf holds both lengths against the map's key and value, every CPU's counted. */
napi_value js_lookup(napi_env env, napi_callback_info info)
{
	napi_value argument[4];
	struct object *object;
	struct bpf_map *map;
	struct bytes key, value;
	struct text name;
	int error;

	if (!take_arguments(env, info, argument, 4) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_bytes(env, argument[2], &key) ||
	    !take_bytes(env, argument[3], &value))
		return NULL;
	error = find_map(object, &name, &map);
	if (!error)
		error = bpf_map__lookup_elem(map, key.data, key.length, value.data, value.length, 0);
	return number(env, error);
}

napi_value js_update(napi_env env, napi_callback_info info)
{
	napi_value argument[4];
	struct object *object;
	struct bpf_map *map;
	struct bytes key, value;
	struct text name;
	int error;

	if (!take_arguments(env, info, argument, 4) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_bytes(env, argument[2], &key) ||
	    !take_bytes(env, argument[3], &value))
		return NULL;
	error = find_map(object, &name, &map);
	if (!error)
		error = bpf_map__update_elem(map, key.data, key.length, value.data, value.length, BPF_ANY);
	return number(env, error);
}

/* The caller's cursor: where reading stands, then the kernel's batch token or the last key. */
enum stage { START, BATCHES, KEYS, END };
struct cursor {
	uint8_t *stage_bytes, *token;
	uint32_t stage;
};

static void save(struct cursor *cursor, enum stage stage)
{
	cursor->stage = stage;
	memcpy(cursor->stage_bytes, &cursor->stage, sizeof(cursor->stage));
}

struct reading {
	int fd;
	uint32_t key_bytes, value_bytes, capacity;
	uint8_t *keys, *values;
};

/* How many, or a negative errno; the kernel's answer that it has no batches leaves the cursor alone. */
static int read_batch(const struct reading *reading, struct cursor *cursor)
{
	uint32_t count = reading->capacity;
	int error = bpf_map_lookup_batch(reading->fd, cursor->stage == START ? NULL : cursor->token, cursor->token,
					 reading->keys, reading->values, &count, NULL);

	/* ENOENT: these were the last. ENOSPC: a hash bucket holds more than there is room for. */
	if (error == -ENOENT)
		save(cursor, END);
	else if (error)
		return error;
	else
		save(cursor, BATCHES);
	return (int)count;
}

static int read_keys(const struct reading *reading, struct cursor *cursor)
{
	uint32_t count = 0;

	while (count < reading->capacity) {
		uint8_t *key = reading->keys + (size_t)count * reading->key_bytes;
		int error = bpf_map_get_next_key(reading->fd, cursor->stage == START ? NULL : cursor->token, key);

		if (error == -ENOENT) {
			save(cursor, END);
			break;
		}
		if (!error)
			error = bpf_map_lookup_elem(reading->fd, key,
						    reading->values + (size_t)count * reading->value_bytes);
		/* an entry may go between the two calls */
		if (error && error != -ENOENT)
			return error;
		memcpy(cursor->token, key, reading->key_bytes);
		save(cursor, KEYS);
		if (!error)
			count++;
	}
	return (int)count;
}

static bool is_per_cpu(enum bpf_map_type type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE;
}

static int measure(struct bpf_map *map, struct reading *reading)
{
	reading->fd = bpf_map__fd(map);
	reading->key_bytes = bpf_map__key_size(map);
	reading->value_bytes = bpf_map__value_size(map);
	if (reading->fd < 0)
		return -ENOENT;
	if (is_per_cpu(bpf_map__type(map))) {
		int cpus = libbpf_num_possible_cpus();

		if (cpus < 0)
			return cpus;
		reading->value_bytes = (reading->value_bytes + 7) / 8 * 8 * (uint32_t)cpus;
	}
	return reading->key_bytes == 0 || reading->value_bytes == 0 ? -EOPNOTSUPP : 0;
}

static int read_map(struct bpf_map *map, const struct bytes *position, const struct bytes *keys,
		    const struct bytes *values)
{
	struct reading reading = {.keys = keys->data, .values = values->data};
	struct cursor cursor;
	size_t capacity;
	int got = measure(map, &reading);

	if (got)
		return got;
	capacity = keys->length / reading.key_bytes;
	if (capacity > values->length / reading.value_bytes)
		capacity = values->length / reading.value_bytes;
	reading.capacity = capacity < INT32_MAX ? (uint32_t)capacity : INT32_MAX;
	if (reading.capacity == 0 || position->length != (size_t)reading.key_bytes + 8)
		return -EINVAL;
	cursor.stage_bytes = position->data;
	/* its four bytes more than a key have room for the token of a hash with one-byte keys */
	cursor.token = position->data + sizeof(cursor.stage);
	memcpy(&cursor.stage, cursor.stage_bytes, sizeof(cursor.stage));

	switch (cursor.stage) {
	case START:
		got = read_batch(&reading, &cursor);
		if (got == -EINVAL || got == -EOPNOTSUPP || got == -KERNEL_ENOTSUPP)
			got = read_keys(&reading, &cursor);
		return got;
	case BATCHES:
		return read_batch(&reading, &cursor);
	case KEYS:
		return read_keys(&reading, &cursor);
	case END:
		return 0;
	default:
		return -EINVAL;
	}
}

napi_value js_read_map(napi_env env, napi_callback_info info)
{
	napi_value argument[5];
	struct object *object;
	struct bpf_map *map;
	struct bytes cursor, keys, values;
	struct text name;
	int error;

	if (!take_arguments(env, info, argument, 5) || !take_object(env, argument[0], &object) ||
	    !take_text(env, argument[1], &name) || !take_bytes(env, argument[2], &cursor) ||
	    !take_bytes(env, argument[3], &keys) || !take_bytes(env, argument[4], &values))
		return NULL;
	error = find_map(object, &name, &map);
	return number(env, error ? error : read_map(map, &cursor, &keys, &values));
}
