// hide-frames ID: gives a PV guest four machine frames that its P2M does not have: two behind its end, one at PFN 16,
// which is another frame's, and one far out. Prints them.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(int argc, char **argv) {
  uint32_t domain = argc == 2 ? (uint32_t)atoi(argv[1]) : 0;
  xc_interface *xch = xc_interface_open(NULL, NULL, 0);
  xc_dominfo_t info;
  if (!xch || xc_domain_getinfo(xch, domain, 1, &info) != 1 || info.domid != domain) return 2;
  if (xc_domain_setmaxmem(xch, domain, info.max_memkb + 64)) { perror("setmaxmem"); return 2; }
  const uint64_t pfns[] = {info.nr_pages + 100000, info.nr_pages + 100001, 16, 1ull << 38};
  for (size_t i = 0; i < sizeof pfns / sizeof *pfns; i++) {
    xen_pfn_t frame = pfns[i];
    // The library puts the new machine frame in the place of the PFN.
    if (xc_domain_populate_physmap_exact(xch, domain, 1, 0, 0, &frame)) { perror("populate"); return 2; }
    printf("frame 0x%lx as PFN 0x%lx\n", (unsigned long)frame, (unsigned long)pfns[i]);
  }
  return 0;
}
