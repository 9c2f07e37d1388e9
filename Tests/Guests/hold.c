// Takes memory of every kind and keeps it, so that a dump of the guest has pages of each:
//
//   hold FOLDER [spin]    FOLDER is on a disk; with `spin` the processor is left in this program
//
// Anonymous pages, private and shared; a file of FOLDER mapped and read; one mapped, changed and not
// written back; a private copy of a file's pages; locked pages; huge pages, if the guest has any.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { page = 4096, mib = 1 << 20 };

// Every page differs from every other.
static void fill(char *at, size_t size, unsigned seed) {
    for (size_t place = 0; place < size; place += sizeof seed) {
        seed = seed * 1664525 + 1013904223;
        memcpy(at + place, &seed, sizeof seed);
    }
}

static char *take(size_t size, int flags, int file) {
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, file, 0);
    return at == MAP_FAILED ? NULL : at;
}

static char *mapped(const char *folder, const char *name, size_t size, int flags) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, size) != 0) return NULL;
    return take(size, flags, file);
}

int main(int count, char **words) {
    if (count < 2) return 64;
    char *at;
    if ((at = take(12 * mib, MAP_PRIVATE | MAP_ANONYMOUS, -1))) fill(at, 12 * mib, 1);
    if ((at = take(2 * mib, MAP_SHARED | MAP_ANONYMOUS, -1))) fill(at, 2 * mib, 2);
    if ((at = mapped(words[1], "mapped", 3 * mib, MAP_SHARED))) {
        volatile char sum = 0;
        for (size_t place = 0; place < 3 * mib; place += page) sum += at[place];
    }
    if ((at = mapped(words[1], "changed", 2 * mib, MAP_SHARED))) fill(at, 2 * mib, 3);
    if ((at = mapped(words[1], "copied", 2 * mib, MAP_PRIVATE))) fill(at, 1 * mib, 4);
    if ((at = take(1 * mib, MAP_PRIVATE | MAP_ANONYMOUS, -1))) {
        fill(at, 1 * mib, 5);
        mlock(at, 1 * mib);
    }
    if ((at = take(4 * mib, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1))) fill(at, 2 * mib, 6);
    puts("hold: ready");
    fflush(stdout);
    if (count > 2) for (volatile unsigned turns = 0;; turns++) {}
    for (;;) pause();
}
