// The C library's allocator, whose header Swift does not have.
#include "CMartlet.h"

#include <malloc.h>
#include <stdlib.h>

void cm_keep_freed(int largest_block, int bytes) {
  if (!getenv("MALLOC_MMAP_THRESHOLD_")) mallopt(M_MMAP_THRESHOLD, largest_block);
  if (!getenv("MALLOC_TRIM_THRESHOLD_")) mallopt(M_TRIM_THRESHOLD, bytes);
}

void cm_give_back(void) { malloc_trim(0); }
