/*
 * The end of demo.h's chain as a shared library that calls the C library's
 * open. Of its two functions only demo_load_configuration is exported: stripped,
 * the other has no name left. The dynamic loader opens files of its own first.
 */
#include <fcntl.h>
#include <unistd.h>

#include "demo.h"

static volatile long opened;

CHAIN static int demo_open_configuration_file(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  opened++;
  return file;
}

CHAIN long demo_load_configuration(const char *path) {
  int file = demo_open_configuration_file(path);
  return file < 0 ? file : close(file);
}
