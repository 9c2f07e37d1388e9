#pragma once

// The calls whose signatures move between releases of Xen, or that no public header declares. Written for
// Xen 4.17; another release is a matter of this file.
//
// All return 0 for success and -1, with errno, for failure, unless it is said otherwise.

// What the hypervisor says of a domain.
struct vmckpt_domain {
  uint32_t id;
  uint32_t flags;        // XEN_DOMINF_*
  uint64_t pages;        // allocated to it
  uint64_t shared_info;  // the frame of shared_info
  uint32_t max_vcpu;     // the highest number of a vCPU
  uint64_t cpu_time;     // nanoseconds that its vCPUs have run
  uint8_t uuid[16];
};

// The domain of the lowest number from `first` on: 1 if there is one, 0 if there is none, -1.
static inline int vmckpt_next_domain(
    xc_interface *xch, uint32_t first, struct vmckpt_domain *result) {
  xc_domaininfo_t info;
  int count = xc_domain_getinfolist(xch, first, 1, &info);
  if (count <= 0) return count < 0 ? -1 : 0;
  result->id = info.domain;
  result->flags = info.flags;
  result->pages = info.tot_pages;
  result->shared_info = info.shared_info_frame;
  result->max_vcpu = info.max_vcpu_id;
  result->cpu_time = info.cpu_time;
  memcpy(result->uuid, info.handle, 16);
  return 1;
}

// The domain of that number. It may have gone: then the call fails with ESRCH.
static inline int vmckpt_domain_info(
    xc_interface *xch, uint32_t domain, struct vmckpt_domain *result) {
  int count = vmckpt_next_domain(xch, domain, result);
  if (count < 0) return -1;
  if (count == 0 || result->id != domain) {
    errno = ESRCH;
    return -1;
  }
  return 0;
}

// Switches log-dirty mode: XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY or XEN_DOMCTL_SHADOW_OP_OFF.
static inline int vmckpt_log_dirty_switch(xc_interface *xch, uint32_t domain, unsigned int op) {
  return xc_shadow_control(xch, domain, op, NULL, 0);
}

// Reads the dirty bitmap of the first pages, with CLEAN also resets it; the pages covered, or -1.
static inline long long vmckpt_log_dirty_read(
    xc_interface *xch, uint32_t domain, unsigned int op, struct vmckpt_bitmap *bitmap,
    unsigned int mode, uint32_t *dirty_count) {
  xc_shadow_op_stats_t stats = {0};
  long long pages =
      xc_logdirty_control(xch, domain, op, &bitmap->buffer, bitmap->pages, mode, &stats);
  *dirty_count = stats.dirty_count;
  return pages;
}

// Exported by libxenctrl for libxenguest. In: frame numbers; out: each with the page's type in bits 28 to
// 31 (XEN_DOMCTL_PFINFO_*). At most 1024 at once.
int xc_get_pfn_type_batch(xc_interface *xch, uint32_t domain, unsigned int count, xen_pfn_t *frames);

// The domain's CPUID leaves and MSRs; in: the room there is, out: what there are.
static inline int vmckpt_cpu_policy(
    xc_interface *xch, uint32_t domain, xen_cpuid_leaf_t *leaves, uint32_t *leaf_count,
    xen_msr_entry_t *msrs, uint32_t *msr_count) {
  xc_cpu_policy_t *policy = xc_cpu_policy_init();
  if (!policy) return -1;
  int result = xc_cpu_policy_get_domain(xch, domain, policy);
  if (!result) result = xc_cpu_policy_serialise(xch, policy, leaves, leaf_count, msrs, msr_count);
  int error = errno;
  xc_cpu_policy_destroy(policy);
  errno = error;
  return result ? -1 : 0;
}

// A domctl, which libxenctrl does not let through. `domctl` is in a buffer of libxencall's.
static inline int vmckpt_domctl(xencall_handle *calls, struct xen_domctl *domctl) {
  domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
  return xencall1(calls, __HYPERVISOR_domctl, (uint64_t)(uintptr_t)domctl) < 0 ? -1 : 0;
}

// The extended context of a PV vCPU.
static inline int vmckpt_vcpu_extended(
    xencall_handle *calls, uint32_t domain, uint32_t vcpu, struct xen_domctl_ext_vcpucontext *result) {
  struct xen_domctl *domctl = (struct xen_domctl *)xencall_alloc_buffer(calls, sizeof *domctl);
  if (!domctl) return -1;
  memset(domctl, 0, sizeof *domctl);
  domctl->cmd = XEN_DOMCTL_get_ext_vcpucontext;
  domctl->domain = (domid_t)domain;
  domctl->u.ext_vcpucontext.vcpu = vcpu;
  int code = vmckpt_domctl(calls, domctl);
  *result = domctl->u.ext_vcpucontext;
  int error = errno;
  xencall_free_buffer(calls, domctl);
  errno = error;
  return code;
}

// The MSRs of a PV vCPU: how many were written to `msrs`, at most `room`, or -1.
static inline int vmckpt_vcpu_msrs(
    xencall_handle *calls, uint32_t domain, uint32_t vcpu, struct xen_domctl_vcpu_msr *msrs,
    uint32_t room) {
  struct xen_domctl *domctl = (struct xen_domctl *)xencall_alloc_buffer(calls, sizeof *domctl);
  void *buffer = xencall_alloc_buffer(calls, room * sizeof *msrs);
  int code = -1;
  if (domctl && buffer) {
    memset(domctl, 0, sizeof *domctl);
    memset(buffer, 0, room * sizeof *msrs);
    domctl->cmd = XEN_DOMCTL_get_vcpu_msrs;
    domctl->domain = (domid_t)domain;
    domctl->u.vcpu_msrs.vcpu = vcpu;
    domctl->u.vcpu_msrs.msr_count = room;
    domctl->u.vcpu_msrs.msrs.p = (xen_domctl_vcpu_msr_t *)buffer;
    code = vmckpt_domctl(calls, domctl);
    if (!code) {
      code = (int)domctl->u.vcpu_msrs.msr_count;
      memcpy(msrs, buffer, (size_t)code * sizeof *msrs);
    }
  }
  int error = errno;
  xencall_free_buffer(calls, buffer);
  xencall_free_buffer(calls, domctl);
  errno = error;
  return code;
}

// The XSAVE state of a PV vCPU: how many bytes were written to `state`, of which there are `room`, or -1.
// Without `state`: how many there may be, 0 if there is none.
static inline int vmckpt_vcpu_xsave(
    xencall_handle *calls, uint32_t domain, uint32_t vcpu, void *state, uint32_t room) {
  struct xen_domctl *domctl = (struct xen_domctl *)xencall_alloc_buffer(calls, sizeof *domctl);
  void *buffer = state ? xencall_alloc_buffer(calls, room) : NULL;
  int code = -1;
  if (domctl && (buffer || !state)) {
    memset(domctl, 0, sizeof *domctl);
    domctl->cmd = XEN_DOMCTL_getvcpuextstate;
    domctl->domain = (domid_t)domain;
    domctl->u.vcpuextstate.vcpu = vcpu;
    code = vmckpt_domctl(calls, domctl);
    if (!code && state) {
      // The first call told the mask of what may be in it; the second must repeat it.
      domctl->u.vcpuextstate.size = room;
      domctl->u.vcpuextstate.buffer.p = (uint64_t *)buffer;
      memset(buffer, 0, room);
      code = vmckpt_domctl(calls, domctl);
    }
    if (!code) {
      uint64_t size = domctl->u.vcpuextstate.xfeature_mask ? domctl->u.vcpuextstate.size : 0;
      if (state && size > room) size = room;
      if (state) memcpy(state, buffer, size);
      code = (int)size;
    }
  }
  int error = errno;
  if (buffer) xencall_free_buffer(calls, buffer);
  if (domctl) xencall_free_buffer(calls, domctl);
  errno = error;
  return code;
}
