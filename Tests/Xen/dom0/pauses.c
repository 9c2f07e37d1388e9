// pauses DOMAIN-ID: prints how long a domain is suspended, a line in milliseconds each time, until it is killed. Looked
// at from outside, a thousand times a second, so that every tool is measured in the same way. The time in which a guest
// makes ready to suspend is not in it.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <xenctrl.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: pauses DOMAIN-ID\n");
    return 64;
  }
  uint32_t domain = (uint32_t)atoi(argv[1]);
  xc_interface *xch = xc_interface_open(NULL, NULL, 0);
  xc_dominfo_t info;
  double since = 0;
  if (!xch) return 2;
  while (xc_domain_getinfo(xch, domain, 1, &info) == 1 && info.domid == domain) {
    if (info.shutdown && since == 0) since = now();
    if (!info.shutdown && since != 0) {
      printf("%.0f\n", now() - since);
      fflush(stdout);
      since = 0;
    }
    usleep(1000);
  }
  return 0;
}
