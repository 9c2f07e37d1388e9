// What the C library has and Swift's import of it leaves out, for it is not in POSIX.
#include <malloc.h>
#include <stddef.h>
// Linear in time.
void *memmem(const void *haystack, size_t haystack_size, const void *needle, size_t needle_size);
