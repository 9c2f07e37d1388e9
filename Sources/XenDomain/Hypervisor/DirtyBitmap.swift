#if Xen
internal import CXen
internal import CheckpointImage
internal import Glibc

/// The hypervisor's record of which pages were written to.
///
/// Reading it while it is off "succeeds" with nothing in it. So each reading first makes sure that it is on, and that
/// no other program uses it.
///
/// SAFETY: the bitmap is made and freed here alone, and freed before the hypervisor's handle, which is held.
@safe final class DirtyBitmap: DirtyLog {
  private let domain: UInt32
  private let hypervisor: Hypervisor
  private var bitmap: UnsafeMutablePointer<vmckpt_bitmap>?
  private var pages: UInt = 0

  /// The log of a domain.
  init(_ domain: UInt32, _ hypervisor: Hypervisor) {
    self.domain = domain
    self.hypervisor = hypervisor
    unsafe bitmap = nil
  }

  deinit { free() }

  func clean(limit: PFN, isLast: Bool) throws(CheckpointError) -> DirtyReading {
    let mode = isLast ? UInt32(XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL) : 0
    return try read(UInt32(XEN_DOMCTL_SHADOW_OP_CLEAN), limit, mode)
  }

  func peek(limit: PFN) throws(CheckpointError) -> DirtyReading {
    try read(UInt32(XEN_DOMCTL_SHADOW_OP_PEEK), limit, 0)
  }

  private func read(_ operation: UInt32, _ limit: PFN, _ mode: UInt32) throws(CheckpointError)
    -> DirtyReading
  {
    try ForeignSave.checkNone(of: domain)
    if try wasOff() { return .lost }
    let bitmap = unsafe try room(for: limit)
    var count: UInt32 = 0
    let covered = unsafe vmckpt_log_dirty_read(
      hypervisor.control, domain, operation, bitmap, mode, &count)
    guard covered >= 0 else { throw hypervisor.failure("read the dirty log", domain) }
    var result = PFNBitmap(limit: limit)
    // SAFETY: the bitmap has room for `limit` bits in words of 64, and lives in `self`.
    let words = unsafe UnsafeBufferPointer(
      start: vmckpt_bitmap_words(bitmap), count: Int((limit + 63) / 64))
    for word in words.indices { unsafe result.insert(word: word, words[word]) }
    // Pages were counted but none is in the bitmap. Either the log was switched off after the check above, or the
    // guest has no number for those pages, as for some page tables.
    if count > 0, result.isEmpty, try wasOff() { return .lost }
    return .pages(result)
  }

  /// Whether the log was off; it is on afterwards.
  private func wasOff() throws(CheckpointError) -> Bool {
    let operation = UInt32(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY)
    if unsafe vmckpt_log_dirty_switch(hypervisor.control, domain, operation) == 0 { return true }
    guard errno == EINVAL else { throw hypervisor.failure("look at the dirty log", domain) }
    return false
  }

  private func room(for limit: PFN) throws(CheckpointError) -> UnsafeMutablePointer<vmckpt_bitmap> {
    if unsafe bitmap == nil || pages < limit {
      free()
      unsafe bitmap = vmckpt_bitmap_make(hypervisor.control, UInt(limit))
      pages = UInt(limit)
    }
    guard let bitmap = unsafe bitmap else { throw hypervisor.failure("get memory", domain) }
    return unsafe bitmap
  }

  private func free() {
    if let old = unsafe bitmap { unsafe vmckpt_bitmap_free(hypervisor.control, old) }
    unsafe bitmap = nil
  }
}
#endif
