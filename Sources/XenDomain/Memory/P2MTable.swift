#if Xen
internal import CheckpointImage

/// The table of a PV guest that says which machine frame each of its pages has.
///
/// The guest keeps it and says where it is (in shared_info): nothing in it can be relied on.
struct P2MTable {
  /// The entry of a PFN without a machine frame.
  static let none = UInt64.max
  /// A guest that claims more PFNs is not read: 16 TiB.
  static let maximumCount: UInt64 = 1 << 32

  /// Reads pages by machine frame, as words of 8 bytes one after the other.
  typealias Reader = ([UInt64]) throws(CheckpointError) -> [UInt64]

  /// The machine frame of each PFN.
  let frames: [UInt64]
  /// The machine frames of the pages that hold the table.
  let leaves: [UInt64]

  /// Reads the table that shared_info points to.
  ///
  /// - Parameters:
  ///   - frameLimit: machine frames are below.
  ///   - limit: the most PFNs it may have; each takes memory here.
  init(
    sharedInfo: RawSpan, _ layout: PVLayout, frameLimit: UInt64, limit: UInt64,
    read: @escaping Reader
  ) throws(CheckpointError) {
    let claimed = layout.word(sharedInfo, at: layout.maximumPFN)
    let cr3 = layout.word(sharedInfo, at: layout.tableCR3)
    guard claimed != 0 else {
      throw CheckpointError(
        .refused, "the guest has not described its memory to Xen yet: it is still starting",
        structure: "P2M")
    }
    guard claimed <= Self.maximumCount else {
      throw Self.wrong(
        "the number of PFNs: found \(claimed), expected at most \(Self.maximumCount)")
    }
    let walk = Walk(layout: layout, frameLimit: frameLimit, limit: limit, read: read)
    let found =
      if cr3 != 0 {
        try walk.leaves(
          cr3: cr3, address: layout.word(sharedInfo, at: layout.tableAddress), count: claimed)
      } else {
        try walk.leaves(
          listList: layout.word(sharedInfo, at: layout.frameListList), count: claimed)
      }
    leaves = found.leaves
    let count = Int(found.count)
    var frames: [UInt64] = []
    frames.reserveCapacity(count)
    for start in stride(from: 0, to: leaves.count, by: 1024) {
      let words = try read(Array(leaves[start..<min(start + 1024, leaves.count)]))
      for entry in layout.entries(words).prefix(count - frames.count) {
        frames.append(entry < frameLimit ? entry : Self.none)
      }
    }
    self.frames = frames
  }

  static func wrong(_ reason: String) -> CheckpointError {
    CheckpointError(.unsupported, reason, structure: "P2M")
  }
}

extension P2MTable {
  /// Finds the pages of the table. Both ways, the count of PFNs is cut where the rest of the table is one
  /// page table again and again: that stands for PFNs without a page.
  fileprivate struct Walk {
    let layout: PVLayout
    let frameLimit: UInt64
    let limit: UInt64
    let read: Reader

    /// The table lies at a virtual address, in an address space of the guest's.
    func leaves(
      cr3: UInt64, address: UInt64, count: UInt64
    ) throws(CheckpointError) -> (count: UInt64, leaves: [UInt64]) {
      var count = count
      var end = try self.end(address, count: count)
      var frames = [try checked(layout.frame(cr3: cr3), "CR3")]
      let mask: UInt64 = layout.width == 8 ? 0x0000_ffff_ffff_ffff : 0xffff_ffff
      var upper: UInt64 = 0
      for level in (1...layout.levels).reversed() {
        let shift = UInt64(level * 9 + 3)
        let first = Int(((address &- upper) & mask) >> shift)
        let last = Int(((end &- upper) & mask) >> shift)
        let entries = try read(frames)
        guard first <= last, last < entries.count else {
          throw P2MTable.wrong("its address range is not contiguous")
        }
        frames = []
        for index in first...last {
          frames.append(try checked(PageTable.frame(entries[index]), "page table entry"))
        }
        if level == 2, let cut = repeated(frames) {
          let covered = UInt64(cut) * UInt64(PageTable.entryCount * layout.entriesPerPage)
          if covered < count {
            count = covered
            end = try self.end(address, count: count)
            frames.removeLast(frames.count - cut)
          }
        }
        if level == 2 { try checkClaim(count) }
        upper = address & mask & ~((1 << shift) - 1)
      }
      return (count, frames)
    }

    /// The table is the leaves of a tree of three levels, linked by machine frames.
    func leaves(
      listList: UInt64, count: UInt64
    ) throws(CheckpointError) -> (count: UInt64, leaves: [UInt64]) {
      let perPage = UInt64(layout.entriesPerPage)
      var count = count
      let listCount = (count - 1) / (perPage * perPage) + 1
      guard listCount <= perPage else {
        throw P2MTable.wrong("\(count) PFNs are too many for a tree")
      }
      let top = layout.entries(try read([checked(listList, "list of frame lists")]))
      var lists: [UInt64] = []
      for entry in top.prefix(Int(listCount)) {
        lists.append(try checked(entry, "list of frame lists"))
      }
      if let cut = repeated(lists) {
        // Its first use may be in earnest.
        lists.removeLast(lists.count - cut - 1)
        count = min(count, UInt64(lists.count) * perPage * perPage)
      }
      try checkClaim(count)
      let entries = layout.entries(try read(lists))
      var leaves: [UInt64] = []
      for entry in entries.prefix(Int((count - 1) / perPage + 1)) {
        leaves.append(try checked(entry, "frame list"))
      }
      return (count, leaves)
    }

    /// Before the bulk of the table is read.
    private func checkClaim(_ count: UInt64) throws(CheckpointError) {
      guard count <= limit else {
        throw CheckpointError(
          .refused,
          "the guest claims \(count) PFNs, far more than it has pages: expected up to \(limit)",
          structure: "P2M")
      }
    }

    /// The last byte of the table at an address; it must not lie where the guest cannot have it.
    private func end(_ address: UInt64, count: UInt64) throws(CheckpointError) -> UInt64 {
      let bytes = ((count - 1) / UInt64(layout.entriesPerPage) + 1) * UInt64(Limits.pageSize)
      let (end, overflows) = address.addingReportingOverflow(bytes - 1)
      let xen: ClosedRange<UInt64> =
        layout.width == 8
        ? 0xffff_8000_0000_0000...0xffff_87ff_ffff_ffff : 0xf580_0000...0xffff_ffff
      guard address % UInt64(Limits.pageSize) == 0, !overflows, isAddress(address), isAddress(end),
        end < xen.lowerBound || address > xen.upperBound
      else {
        throw P2MTable.wrong(
          "found at address 0x\(String(address, radix: 16)), where no guest can have it")
      }
      return end
    }

    private func isAddress(_ address: UInt64) -> Bool {
      guard layout.width == 8 else { return address <= 0xffff_ffff }
      let sign = address >> 47
      return sign == 0 || sign == 0x1_ffff
    }

    private func checked(_ frame: UInt64, _ place: String) throws(CheckpointError) -> UInt64 {
      guard frame > 0, frame < frameLimit else {
        throw P2MTable.wrong(
          "\(place): machine frame 0x\(String(frame, radix: 16)), expected up to 0x\(String(frameLimit - 1, radix: 16))"
        )
      }
      return frame
    }

    /// Where the last of the frames begins to be repeated up to the end; nil if it is not.
    private func repeated(_ frames: [UInt64]) -> Int? {
      guard let last = frames.last else { return nil }
      let start = (frames.lastIndex { $0 != last } ?? -1) + 1
      return start > 0 && start < frames.count - 1 ? start : nil
    }
  }
}

extension PVLayout {
  /// The guest's words in words of 8 bytes; -1 of 32 bits is -1 of 64.
  fileprivate func entries(_ words: [UInt64]) -> [UInt64] {
    if width == 8 { return words }
    return words.flatMap { word in
      [word & 0xffff_ffff, word >> 32].map { $0 == 0xffff_ffff ? .max : $0 }
    }
  }
}
#endif
