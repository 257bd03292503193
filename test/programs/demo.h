/*
 * The call chain all demos share, outermost first:
 *
 *   main → demo_serve_requests → demo_handle_request
 *        → demo_load_configuration → demo_open_configuration_file → openat
 *
 * Each function does something after its call, so none can be a jump.
 */
#pragma once

/* noipa: neither inlined nor cloned nor renamed, so every caller has its frame. */
#define CHAIN __attribute__((noipa))

long demo_handle_request(const char *path);
long demo_load_configuration(const char *path);
