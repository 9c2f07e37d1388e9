#if Xen
internal import CXen
internal import CheckpointImage
internal import Glibc

/// The hypervisor's record of which pages were written to.
///
/// It has no owner: any program may switch it off, and reading it then "succeeds" with nothing in it. So each
/// reading first makes sure that it is still on, and nobody else's.
@safe final class DirtyBitmap {
  /// What a reading found.
  enum Reading {
    /// The pages that were written to since the last reading that reset.
    case pages(PFNBitmap)
    /// Somebody had switched the log off: it is on again, and what was written meanwhile is not known.
    case lost
  }

  private let domain: UInt32
  private let hypervisor: Hypervisor
  private var bitmap: UnsafeMutablePointer<vmckpt_bitmap>?
  private var pages: UInt = 0

  /// The log of a domain, which is on.
  init(_ domain: UInt32, _ hypervisor: Hypervisor) {
    self.domain = domain
    self.hypervisor = hypervisor
    unsafe bitmap = nil
  }

  deinit { free() }

  /// Reads the log and resets it.
  ///
  /// - Parameter isLast: the guest is suspended, and nothing will follow in this pause.
  func clean(limit: PFN, isLast: Bool) throws(CheckpointError) -> Reading {
    let mode = isLast ? UInt32(XEN_DOMCTL_SHADOW_LOGDIRTY_FINAL) : 0
    return try read(UInt32(XEN_DOMCTL_SHADOW_OP_CLEAN), limit, mode)
  }

  /// How many pages the log names, without resetting it; nil if it was lost.
  func count(limit: PFN) throws(CheckpointError) -> Int? {
    switch try read(UInt32(XEN_DOMCTL_SHADOW_OP_PEEK), limit, 0) {
    case .pages(let pages): pages.count
    case .lost: nil
    }
  }

  private func read(_ operation: UInt32, _ limit: PFN, _ mode: UInt32) throws(CheckpointError)
    -> Reading
  {
    try ForeignSave.checkNone(of: domain)
    if unsafe vmckpt_log_dirty_switch(
      hypervisor.control, domain, UInt32(XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY)) == 0
    {
      return .lost
    }
    guard errno == EINVAL else { throw hypervisor.failure("look at the dirty log", domain) }
    let bitmap = unsafe try room(for: limit)
    var count: UInt32 = 0
    let covered = unsafe vmckpt_log_dirty_read(
      hypervisor.control, domain, operation, bitmap, mode, &count)
    guard covered >= 0 else { throw hypervisor.failure("read the dirty log", domain) }
    var result = PFNBitmap(limit: limit)
    let words = unsafe UnsafeBufferPointer(
      start: vmckpt_bitmap_words(bitmap), count: Int((limit + 63) / 64))
    for word in words.indices { unsafe result.insert(word: word, words[word]) }
    return count > 0 && result.isEmpty ? .lost : .pages(result)
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
