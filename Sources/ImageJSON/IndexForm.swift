internal import CheckpointImage

/// An index block (Spec, "Index block"). Its entries are combined in runs of consecutive pages with the same
/// properties. Digests are those in the regions, and given only where they differ.
struct IndexForm: Codable {
  struct RunForm: Codable {
    var pfn: PFN
    var pages: Int
    var state: String
    var type: PageType?
    var reason: String?
    /// The region's ordinal in the file.
    var region: UInt64?
    var firstSlot: UInt8?
    /// The offset in the index, if no region begins there.
    var regionOffset: UInt64?
    var regionLength: UInt32?
    var digests: [HexDigest]?

    enum CodingKeys: String, CodingKey {
      case pfn = "PFN"
      case pages = "Pages"
      case state = "State"
      case type = "Type"
      case reason = "Reason"
      case region = "Region"
      case firstSlot = "First_Slot"
      case regionOffset = "Region_Offset"
      case regionLength = "Region_Length"
      case digests = "Digests"
    }
  }

  var block: UInt64
  var entries: [RunForm]

  enum CodingKeys: String, CodingKey {
    case block = "Block"
    case entries = "Entries"
  }

  init(_ block: IndexBlock, _ sealer: Sealer) {
    self.block = block.number.value
    let pages = Array(zip(block.occupancy.members, block.entries))
    entries = []
    var start = 0
    while start < pages.count {
      var end = start + 1
      while end < pages.count, pages[end].0 == pages[end - 1].0 + 1,
        pages[end].1.follows(pages[end - 1].1)
      { end += 1 }
      entries.append(
        Self.run(pages[start..<end].map(\.1), at: block.number.pfn(pages[start].0), sealer))
      start = end
    }
  }

  private static func run(_ entries: [PageEntry], at pfn: PFN, _ sealer: Sealer) -> RunForm {
    let status = entries[0].status
    var run = RunForm(
      pfn: pfn, pages: entries.count, state: "\(status.state)",
      type: status.type == 0 ? nil : status.type,
      reason: status.reason == .none ? nil : "\(status.reason)")
    guard status.state == .data else { return run }
    let location = entries[0].location
    run.firstSlot = location.slot
    let slots = Int(location.slot)..<Int(location.slot) + entries.count
    if let region = sealer.region(at: location.offset), region.length == location.length {
      run.region = region.ordinal
      if region.digests(slots) == entries.map(\.digest) { return run }
    } else {
      run.regionOffset = location.offset
      run.regionLength = location.length
    }
    run.digests = entries.map { HexDigest($0.digest) }
    return run
  }

  func body(_ sealer: Sealer) throws(CheckpointError) -> [UInt8] {
    let number = BlockNumber(block)
    guard number <= BlockNumber.last else {
      throw CheckpointError(.refused, "Block: found \(block), expected at most \(BlockNumber.last)")
    }
    var index = IndexBlock(number: number)
    var next = number.firstPage
    let end = number.pages.upperBound
    for run in entries {
      guard run.pfn >= next, run.pfn < end, run.pages > 0, run.pages <= Int(end - run.pfn) else {
        throw CheckpointError(
          .refused,
          "Entries of block \(block): \(run.pages) pages at PFN \(run.pfn): expected PFNs from "
            + "\(next) to \(end - 1), ascending")
      }
      next = run.pfn + UInt64(run.pages)
      for (place, entry) in try run.pageEntries(sealer).enumerated() {
        index.append(entry, slot: number.slot(of: run.pfn) + place)
      }
    }
    return index.encoded()
  }
}

extension IndexForm.RunForm {
  fileprivate func pageEntries(_ sealer: Sealer) throws(CheckpointError) -> [PageEntry] {
    let status = PageStatus(
      try Name.state(state), type: type ?? 0, reason: try Name.reason(reason ?? "none"))
    guard status.type < 16 else {
      throw CheckpointError(.refused, "Type: found \(status.type), expected at most 15")
    }
    guard status.state == .data else {
      return Array(repeating: PageEntry(status), count: pages)
    }
    func refused(_ reason: String) -> CheckpointError {
      CheckpointError(.refused, "Entries, PFN \(pfn): \(reason)")
    }
    let slot = Int(firstSlot ?? 0)
    guard slot + pages <= Limits.maximumRegionPages else {
      throw refused("slots beyond \(Limits.maximumRegionPages - 1)")
    }
    var offset = regionOffset
    var length = regionLength
    var known: [Digest]?
    if let ordinal = region {
      guard let region = sealer.region(ordinal) else {
        throw refused("Region \(ordinal) is not a region before the index")
      }
      offset = region.offset
      length = region.length
      known = region.digests(slot..<slot + pages)
    }
    guard let offset, let length else {
      throw refused("needs Region, or Region_Offset and Region_Length")
    }
    guard let digests = digests?.map(\.digest) ?? known, digests.count == pages else {
      throw refused(
        digests == nil
          ? "its region does not have these pages, or cannot be expanded: give Digests"
          : "Digests: expected \(pages)")
    }
    return digests.enumerated().map { place, digest in
      var entry = PageEntry(
        type: status.type, digest: digest,
        location: PageLocation(offset: offset, length: length, slot: UInt8(slot + place)))
      entry.status = status
      return entry
    }
  }
}

extension PageEntry {
  /// Whether the entry can follow `other` in one run.
  fileprivate func follows(_ other: PageEntry) -> Bool {
    guard status == other.status else { return false }
    return status.state != .data
      || location.offset == other.location.offset && location.length == other.location.length
        && Int(location.slot) == Int(other.location.slot) + 1
  }
}
