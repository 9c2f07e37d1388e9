internal import CheckpointImage

/// Tells whether what a file system keeps of a page of its cache, in buffers of its own (Linux: `struct buffer_head`),
/// is on disk as it is in memory. Buffers may be dirty, or belong to a journal, although their page is clean.
struct BufferHeads {
  /// A page has at most one buffer for each 512 bytes; those of huge pages are not looked at.
  private static let most = Limits.pageSize / 512

  private let state, next, page, byteCount: Int
  private let required, allowed: UInt64
  private let guest: LinuxGuest

  /// - Returns: nil if the kernel does not say how buffers are laid out.
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

  /// Whether a page's buffers are all on disk. They must form a ring, and each must name the page: what other file
  /// systems keep in the same place does not.
  ///
  /// - Parameters:
  ///   - first: what the page's descriptor points to.
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
