// domain-state DOMAIN-ID: what the hypervisor says of a domain, in words:
//   running|paused|shutdown-REASON|dying|gone pages=N log-dirty=off|on|none
// That log-dirty is off is proven by switching it on (then off again): where it is on already, that fails.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: domain-state DOMAIN-ID\n");
    return 64;
  }
  uint32_t domain = (uint32_t)atoi(argv[1]);
  xc_interface *xch = xc_interface_open(NULL, NULL, 0);
  xc_dominfo_t info;
  if (!xch) return 2;
  // The answer is about a later domain where there is none of that number.
  if (xc_domain_getinfo(xch, domain, 1, &info) != 1 || info.domid != domain) {
    puts("gone");
    return 0;
  }
  const char *dirty = "on";
  if (xc_shadow_control(xch, domain, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY, NULL, 0) == 0) {
    dirty = xc_shadow_control(xch, domain, XEN_DOMCTL_SHADOW_OP_OFF, NULL, 0) ? "stuck" : "off";
  } else if (errno == EOPNOTSUPP) {
    dirty = "none";
  }
  if (info.dying) {
    printf("dying");
  } else if (info.shutdown) {
    printf("shutdown-%u", info.shutdown_reason);
  } else {
    printf(info.paused ? "paused" : "running");
  }
  printf(" pages=%lu log-dirty=%s\n", info.nr_pages, dirty);
  return 0;
}
