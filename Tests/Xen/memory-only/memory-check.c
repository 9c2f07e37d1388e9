// memory-check core CORE RAW     whether plain memory (of ckpt-restore --to raw) holds what "xl dump-core" wrote
// memory-check domain ID RAW     whether it holds what a PVH or HVM guest has now
//
// The guest stood still all the time. Prints how many pages are equal, and the PFNs of those that are not.
//
// The core of a PV guest has its page tables with machine frames; in an image they are PFNs (see "Memory only" in
// ckpt-capture(1)). So a page of it that differs is translated and compared again.
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>

enum { page = 4096, entries = 512, batch = 1024 };
struct p2m { uint64_t pfn, frame; };

static const uint8_t *map_file(const char *name, size_t *size) {
  struct stat status;
  int file = open(name, O_RDONLY);
  if (file < 0 || fstat(file, &status)) { perror(name); exit(2); }
  *size = status.st_size;
  void *at = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  if (at == MAP_FAILED) { perror(name); exit(2); }
  return at;
}

static const uint8_t *raw;
static size_t raw_size;
static const struct p2m *p2m;
static size_t count;
static size_t equal, zero, tables, different;

static int64_t pfn_of(uint64_t frame) {
  static int64_t *known;
  static uint64_t end;
  if (!known) {
    for (size_t i = 0; i < count; i++)
      if (p2m[i].pfn != UINT64_MAX && p2m[i].frame >= end) end = p2m[i].frame + 1;
    known = malloc(end * sizeof *known);
    memset(known, 0xff, end * sizeof *known);
    for (size_t i = 0; i < count; i++) if (p2m[i].pfn != UINT64_MAX) known[p2m[i].frame] = p2m[i].pfn;
  }
  return frame < end ? known[frame] : -1;
}

// Whether `image` is the page table `core` with PFNs. At the top level the entries of Xen are zero; an entry of
// somebody else's frame has bit 51 set.
static int is_table(const uint64_t *core, const uint64_t *image) {
  const uint64_t mask = 0x000ffffffffff000, foreign = 1ull << 51;
  int top = 1;
  for (int i = 256; i < 272; i++) top &= image[i] == 0;
  for (int i = 0; i < entries; i++) {
    uint64_t want = core[i];
    if (top && i >= 256 && i < 272) {
      want = 0;
    } else if (want & 1) {
      int64_t pfn = pfn_of((want & mask) >> 12);
      want = pfn >= 0 ? (want & ~mask) | (uint64_t)pfn << 12 : want | foreign;
    }
    if (want != image[i]) return 0;
  }
  return 1;
}

static void compare(uint64_t pfn, const uint8_t *theirs) {
  static const uint8_t zeros[page];
  const uint8_t *mine = (pfn + 1) * page <= raw_size ? raw + pfn * page : zeros;
  if (!memcmp(theirs, mine, page)) {
    equal++;
    zero += !memcmp(theirs, zeros, page);
  } else if (p2m && is_table((const void *)theirs, (const void *)mine)) {
    tables++;
  } else if (different++ < 20) {
    printf("PFN 0x%llx differs\n", (unsigned long long)pfn);
  }
}

static void compare_core(const char *file) {
  size_t size;
  const uint8_t *core = map_file(file, &size);
  const Elf64_Ehdr *head = (const void *)core;
  const Elf64_Shdr *sections = (const void *)(core + head->e_shoff);
  const char *names = (const char *)core + sections[head->e_shstrndx].sh_offset;
  const uint8_t *pages = NULL;
  for (int i = 0; i < head->e_shnum; i++) {
    const char *name = names + sections[i].sh_name;
    const void *at = core + sections[i].sh_offset;
    if (!strcmp(name, ".xen_p2m")) p2m = at, count = sections[i].sh_size / sizeof *p2m;
    if (!strcmp(name, ".xen_pages")) pages = at;
  }
  if (!pages || !count) { fprintf(stderr, "%s: no core of a PV guest\n", file); exit(2); }
  // What the dump could not read has no PFN.
  for (size_t i = 0; i < count; i++) if (p2m[i].pfn != UINT64_MAX) compare(p2m[i].pfn, pages + i * page);
}

// In libxenctrl, for libxenguest: types of frames in bits 28 to 31. 15 is none of the guest's pages: a hole, or a page
// of Xen's own that it may look at (shared_info, its grant table), which is no part of its memory.
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t domain, unsigned int count, xen_pfn_t *frames);

static void compare_domain(uint32_t id) {
  xc_interface *xch = xc_interface_open(NULL, NULL, 0);
  xenforeignmemory_handle *memory = xenforeignmemory_open(NULL, 0);
  xen_pfn_t last;
  if (!xch || !memory || xc_domain_maximum_gpfn(xch, id, &last)) { perror("domain"); exit(2); }
  for (xen_pfn_t first = 0; first <= last; first += batch) {
    xen_pfn_t pfns[batch];
    int errors[batch];
    for (int i = 0; i < batch; i++) pfns[i] = first + i;
    uint8_t *pages = xenforeignmemory_map(memory, id, PROT_READ, batch, pfns, errors);
    if (!pages) continue;
    if (xc_get_pfn_type_batch(xch, id, batch, pfns)) { perror("page types"); exit(2); }
    for (int i = 0; i < batch; i++)
      if (!errors[i] && pfns[i] >> 28 != 15) compare(first + i, pages + i * page);
    xenforeignmemory_unmap(memory, pages, batch);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) { fprintf(stderr, "usage: memory-check core|domain CORE|ID RAW\n"); return 64; }
  raw = map_file(argv[3], &raw_size);
  if (!strcmp(argv[1], "core")) compare_core(argv[2]);
  else compare_domain(atoi(argv[2]));
  printf("%zu pages equal (%zu of them zero), %zu page tables equal, %zu differ\n", equal, zero, tables, different);
  return different || equal - zero < 1000;
}
