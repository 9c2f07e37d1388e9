// oracle DOMAIN-ID: a domain that is suspended already is saved by Xen's own code, as a libxc stream on standard
// output. It stays suspended, and its log-dirty mode stays as it is: what a capture takes in that pause must be
// what is in this stream.
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xenctrl.h>
#include <xenguest.h>

// At its end xc_domain_save switches log-dirty off, by this function of libxenctrl. This one, in the program
// itself (it is linked with -rdynamic), is found first, and leaves it on.
int xc_shadow_control(
    xc_interface *xch, uint32_t domain, unsigned int op, unsigned int *mb, unsigned int mode) {
  (void)xch, (void)domain, (void)op, (void)mb, (void)mode;
  return 0;
}

static int is_suspended(void *data) {
  (void)data;
  return 1;
}
static int no_device_model(uint32_t domain, unsigned enable, void *data) {
  (void)domain, (void)enable, (void)data;
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: oracle DOMAIN-ID\n");
    return 64;
  }
  uint32_t domain = (uint32_t)atoi(argv[1]);
  xc_interface *xch = xc_interface_open(NULL, NULL, 0);
  xc_dominfo_t info;
  if (!xch) return 2;
  if (xc_domain_getinfo(xch, domain, 1, &info) != 1 || info.domid != domain || !info.shutdown ||
      info.shutdown_reason != SHUTDOWN_suspend) {
    fprintf(stderr, "oracle: domain %u is not suspended\n", domain);
    return 2;
  }
  struct save_callbacks callbacks = {
      .suspend = is_suspended, .switch_qemu_logdirty = no_device_model};
  return xc_domain_save(xch, STDOUT_FILENO, domain, 0, &callbacks, XC_STREAM_PLAIN, -1) ? 2 : 0;
}
