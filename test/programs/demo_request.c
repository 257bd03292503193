/* The middle of demo.h's chain; always in the program itself. */
#include "demo.h"

static volatile long requests;

CHAIN long demo_handle_request(const char *path) {
  long result = demo_load_configuration(path);
  requests++;
  return result;
}
