#include <stddef.h>
// The C library has it, linear in time; Swift's import leaves out what is not in POSIX.
void *memmem(const void *haystack, size_t haystack_size, const void *needle, size_t needle_size);
