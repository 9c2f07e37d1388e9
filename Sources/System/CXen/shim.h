#pragma once

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <xencall.h>
#include <xenctrl.h>
#include <xenforeignmemory.h>
#include <xenguest.h>
#include <xenstore.h>
#include <xentoollog.h>

// What Swift cannot import: macros that cast, variadic functions, hypercall buffers, and unions behind macros.

static const uint32_t vmckpt_first_reserved_domid = DOMID_FIRST_RESERVED;

// A logger that keeps the last line of a warning or worse, so that an error can say what the library said.
// Nothing is printed.
struct vmckpt_logger {
  xentoollog_logger interface;
  char last[512];
};

static inline void vmckpt_log(
    struct xentoollog_logger *logger, xentoollog_level level, int error, const char *context,
    const char *format, va_list arguments)
    __attribute__((format(printf, 5, 0)));
static inline void vmckpt_log(
    struct xentoollog_logger *logger, xentoollog_level level, int error, const char *context,
    const char *format, va_list arguments) {
  struct vmckpt_logger *mine = (struct vmckpt_logger *)logger;
  (void)error;
  (void)context;
  if (level >= XTL_WARN) vsnprintf(mine->last, sizeof mine->last, format, arguments);
}
static inline void vmckpt_no_progress(
    struct xentoollog_logger *logger, const char *context, const char *what, int percent,
    unsigned long done, unsigned long total) {
  (void)logger, (void)context, (void)what, (void)percent, (void)done, (void)total;
}
static inline void vmckpt_logger_free(struct xentoollog_logger *logger) { free(logger); }
static inline struct vmckpt_logger *vmckpt_logger_make(void) {
  struct vmckpt_logger *logger = (struct vmckpt_logger *)calloc(1, sizeof *logger);
  if (!logger) return NULL;
  logger->interface.vmessage = vmckpt_log;
  logger->interface.progress = vmckpt_no_progress;
  logger->interface.destroy = vmckpt_logger_free;
  return logger;
}
static inline const char *vmckpt_logger_last(const struct vmckpt_logger *logger) {
  return logger->last;
}
static inline void vmckpt_logger_clear(struct vmckpt_logger *logger) { logger->last[0] = 0; }

// A bitmap the hypervisor writes to, one bit a page.
struct vmckpt_bitmap {
  xc_hypercall_buffer_t buffer;
  unsigned long pages;
};

static inline struct vmckpt_bitmap *vmckpt_bitmap_make(xc_interface *xch, unsigned long pages) {
  struct vmckpt_bitmap *bitmap = (struct vmckpt_bitmap *)calloc(1, sizeof *bitmap);
  if (!bitmap) return NULL;
  bitmap->pages = pages;
  size_t size = ((pages + 63) / 64 * 8 + XC_PAGE_SIZE - 1) >> XC_PAGE_SHIFT;
  if (!xc__hypercall_buffer_alloc_pages(xch, &bitmap->buffer, (int)size)) {
    free(bitmap);
    return NULL;
  }
  memset(bitmap->buffer.hbuf, 0, size << XC_PAGE_SHIFT);
  return bitmap;
}
static inline void vmckpt_bitmap_free(xc_interface *xch, struct vmckpt_bitmap *bitmap) {
  size_t size = ((bitmap->pages + 63) / 64 * 8 + XC_PAGE_SIZE - 1) >> XC_PAGE_SHIFT;
  xc__hypercall_buffer_free_pages(xch, &bitmap->buffer, (int)size);
  free(bitmap);
}
static inline const uint64_t *vmckpt_bitmap_words(const struct vmckpt_bitmap *bitmap) {
  return (const uint64_t *)bitmap->buffer.hbuf;
}

#include "calls.h"
#include "spawn.h"

// The version, such as 4.17.5, into `text`.
static inline void vmckpt_version(xc_interface *xch, char *text, size_t room) {
  int version = xc_version(xch, XENVER_version, NULL);
  xen_extraversion_t extra = "";
  xc_version(xch, XENVER_extraversion, extra);
  snprintf(text, room, "%d.%d%.15s", version >> 16, version & 0xffff, extra);
}

// A pipe that no other program inherits.
static inline int vmckpt_pipe(int ends[2]) {
  if (pipe(ends)) return -1;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return 0;
}
