#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Glibc

/// Pages of a domain, mapped to be read; they are unmapped with the last user. While the domain runs, their
/// contents change under the reader.
///
/// SAFETY: `base` is mapped from `init` to `deinit`; the spans given out borrow `self`; and `raw` checks that each page
/// was mapped, so that no reader touches one that was not.
@safe final class ForeignPages {
  /// At most so many pages are mapped at once.
  static let maximum = 1024

  private let base: UnsafeMutableRawPointer
  private let errors: [Int32]
  private let hypervisor: Hypervisor

  /// Maps frames: of a PV domain machine frames, of others guest frames. Some may not be there; see `isMapped`.
  init(_ frames: [xen_pfn_t], of domain: UInt32, _ hypervisor: Hypervisor) throws(CheckpointError) {
    precondition(!frames.isEmpty && frames.count <= Self.maximum)
    var errors = [Int32](repeating: 0, count: frames.count)
    guard
      let base = unsafe xenforeignmemory_map(
        hypervisor.foreign, domain, PROT_READ, frames.count, frames, &errors)
    else { throw hypervisor.failure("map memory", domain) }
    unsafe self.base = base
    self.errors = errors
    self.hypervisor = hypervisor
  }

  deinit { _ = unsafe xenforeignmemory_unmap(hypervisor.foreign, base, errors.count) }

  /// Whether there is a page at that place.
  func isMapped(_ index: Int) -> Bool { errors[index] == 0 }

  /// The bytes of a page that is mapped.
  @_lifetime(borrow self)
  func page(_ index: Int) -> RawSpan {
    let bytes = unsafe raw(index..<index + 1).bytes
    return unsafe _overrideLifetime(bytes, borrowing: self)
  }

  /// Copies the pages that are mapped to consecutive slots of a buffer; the results are the places of the
  /// others.
  func copy(to buffer: PageBuffer, at slot: Int) -> [Int] {
    var missing: [Int] = []
    var start = 0
    for index in 0...errors.count where index == errors.count || errors[index] != 0 {
      if index > start { unsafe buffer.copy(raw(start..<index), to: slot + start) }
      if index < errors.count { missing.append(index) }
      start = index + 1
    }
    return missing
  }

  private func raw(_ pages: Range<Int>) -> UnsafeRawBufferPointer {
    precondition(pages.lowerBound >= 0 && pages.upperBound <= errors.count)
    precondition(pages.allSatisfy { errors[$0] == 0 })
    return unsafe UnsafeRawBufferPointer(
      start: base + pages.lowerBound * Limits.pageSize, count: pages.count * Limits.pageSize)
  }
}
#endif
