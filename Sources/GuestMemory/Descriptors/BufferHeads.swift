internal import CheckpointImage

/// Determines from the buffers of a file system (Linux: `struct buffer_head`) whether a page of its cache is on
/// disk. Buffers may be dirty, or belong to a journal, although their page is clean.
struct BufferHeads {
  /// A page has at most one buffer per 512 bytes; huge pages are not examined.
  private static let most = Limits.pageSize / 512

  private let state, next, page, byteCount: Int
  private let required, allowed: UInt64
  private let guest: LinuxGuest

  /// - Returns: nil if the kernel does not describe the layout of buffers.
  init?(of guest: LinuxGuest, _ types: TypeInformation?) {
    guard let types, let byteCount = types.size("buffer_head"), (24...1024).contains(byteCount)
    else { return nil }
    func field(_ name: String) -> Int? {
      guard let field = types.member("buffer_head", name), field.size == 8 else { return nil }
      return field.offset + 8 <= byteCount ? field.offset : nil
    }
    func bits(_ names: [String]) -> UInt64? {
      var mask: UInt64 = 0
      for name in names {
        guard let bit = types.enumerator(name), (0..<64).contains(bit) else { return nil }
        mask |= 1 << UInt64(bit)
      }
      return mask
    }
    guard let state = field("b_state"), let next = field("b_this_page"),
      let page = field("b_page") ?? field("b_folio"),
      let required = bits(["BH_Uptodate", "BH_Mapped"]),
      let harmless = bits(["BH_Req", "BH_Boundary", "BH_Meta", "BH_Prio"])
    else { return nil }
    (self.state, self.next, self.page, self.byteCount) = (state, next, page, byteCount)
    (self.required, allowed) = (required, required | harmless)
    self.guest = guest
  }

  /// Whether all buffers of a page are on disk. They must form a ring, and each must refer to the page, which
  /// excludes what other file systems keep in the same field.
  /// systems keep in the same place does not.
  ///
  ///   - first: the pointer in the page's descriptor.
  ///   - descriptor: the address of the descriptor.
  ///   - descriptor: where that is.
  func areOnDisk(_ first: UInt64, of descriptor: UInt64) throws(CheckpointError) -> Bool {
    var address = first
    for _ in 0..<Self.most {
      guard let bytes = try guest.bytes(at: address, count: byteCount) else { return false }
      let flags = bytes.u64(state)
      guard bytes.u64(page) == descriptor, flags & required == required, flags & ~allowed == 0
      else { return false }
      address = bytes.u64(next)
      if address == first { return true }
    }
    return false
  }
}
