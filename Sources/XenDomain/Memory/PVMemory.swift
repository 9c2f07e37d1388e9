#if Xen
internal import CXen
internal import CheckpointCodec
internal import CheckpointImage
internal import Formats

/// The memory and machine state of a PV domain, as Xen's own save writes them.
///
/// A PFN has a page if its P2M entry names a machine frame that the domain owns and Xen's table gives that
/// frame this very PFN: so a guest cannot have more pages here than it owns, whatever its P2M says.
final class PVMemory: DomainMemory {
  let guest = XenStream.GuestType.pv
  var limit: PFN { PFN(frames.count) }

  private let domain: UInt32
  private let hypervisor: Hypervisor
  private let layout: PVLayout
  private let machineToPhysical: MachineToPhysical
  /// The machine frame of each PFN, after the P2M.
  private var frames: [UInt64] = []
  /// The type of each PFN, as in PAGE_DATA.
  private var types: [UInt8] = []
  /// The machine frames of the P2M itself.
  private var tableFrames: [UInt64] = []
  private var state: DomainState
  /// Whether all that is read now must be right: the guest has suspended itself.
  private var isExact = false

  /// The memory of a PV domain.
  init(_ domain: UInt32, _ hypervisor: Hypervisor) throws(CheckpointError) {
    self.domain = domain
    self.hypervisor = hypervisor
    state = try Self.state(domain, hypervisor)
    layout = try PVLayout(domain, hypervisor)
    machineToPhysical = try MachineToPhysical(hypervisor)
  }

  func refresh(isStill: Bool) throws(CheckpointError) -> PFNBitmap {
    state = try Self.state(domain, hypervisor)
    isExact = isStill && state.shutdown == .suspend
    let table = try P2MTable(of: state, layout, machineToPhysical, hypervisor)
    let newTypes = try pageTypes(table.frames)
    defer {
      frames = table.frames
      types = newTypes
      tableFrames = table.leaves
    }
    return changes(table.frames, newTypes)
  }

  func status(_ pfn: PFN) -> PageStatus {
    switch type(pfn) {
    case XenStream.typeNone: PageStatus(.unpopulated)
    case XenStream.typeBroken: PageStatus(.broken)
    case XenStream.typeAllocateOnly: PageStatus(.allocateOnly)
    case let type: PageStatus(.data, type: type)
    }
  }

  /// After a `refresh` in which the guest was found suspended, a page that cannot be had is an error.
  func copy(
    _ pfns: ArraySlice<PFN>, to buffer: PageBuffer, at slot: Int
  ) throws(CheckpointError) -> [Int] {
    var missing: [Int] = []
    var entries: [UInt64] = []
    for start in stride(from: 0, to: pfns.count, by: ForeignPages.maximum) {
      let batch = pfns.dropFirst(start).prefix(ForeignPages.maximum)
      // Frame 0 is Xen's: there is no page for this domain.
      let pages = try ForeignPages(
        batch.map { xen_pfn_t(truncatingIfNeeded: frame($0) ?? 0) }, of: domain, hypervisor)
      var absent = Set(pages.copy(to: buffer, at: slot + start))
      for (place, pfn) in batch.enumerated() where !absent.contains(place) {
        guard let level = PageTable.level(of: type(pfn)) else { continue }
        entries.removeAll(keepingCapacity: true)
        buffer.page(slot + start + place).appendWords(to: &entries)
        do throws(PageTable.BadEntry) {
          try PageTable(level: level, guestLevels: layout.levels)
            .translate(&entries) { self.pfn(ofFrame: $0) }
          // SAFETY: words are bytes without gaps, and are copied.
          unsafe entries.withUnsafeBytes { unsafe buffer.copy($0, to: slot + start + place) }
        } catch {
          if isExact { throw foreignEntry(error, pfn, level) }
          absent.insert(place)
        }
      }
      if isExact, let place = absent.min() {
        throw unreadable("PFN 0x\(String(batch[batch.startIndex + place], radix: 16))")
      }
      missing += absent.sorted().map { batch.startIndex + $0 }
    }
    return missing
  }

  func unloggedPages() throws(CheckpointError) -> [PFN] {
    let granted = try GrantedFrames.read(domain, hypervisor, .writable)
    var pages = Set(granted.compactMap { pfn(ofFrame: $0) })
    if let page = pfn(ofFrame: state.sharedInfo) { pages.insert(page) }
    // Only a suspended guest says where start_info is; store and console are PFNs there by then.
    if isExact, let page = try startInfo() {
      pages.insert(page)
      let mapped = try ForeignPages(
        [xen_pfn_t(truncatingIfNeeded: frame(page) ?? 0)], of: domain, hypervisor)
      if mapped.isMapped(0) {
        pages.insert(layout.word(mapped.page(0), at: layout.storePage))
        pages.insert(layout.word(mapped.page(0), at: layout.consolePage))
      }
    }
    return pages.filter { status($0).state == .data }.sorted()
  }

  func grantedPages() throws(CheckpointError) -> [PFN] {
    try GrantedFrames.read(domain, hypervisor, .all).compactMap { pfn(ofFrame: $0) }
  }

  func processors() throws(CheckpointError) -> [MachineRecord] {
    try processors(hasSuspended: false) { frame, _ in
      pfn(ofFrame: frame) ?? PageTable.foreignMark | frame
    }
  }

  func staticRecords() throws(CheckpointError) -> [MachineRecord] {
    [layout.record] + (try CPUPolicy.records(domain, hypervisor))
  }

  func stickyRecords() throws(CheckpointError) -> [MachineRecord] {
    var writer = WireWriter(capacity: 8 + 8 * tableFrames.count)
    writer.write(UInt32(0))
    writer.write(UInt32(truncatingIfNeeded: limit - 1))
    for frame in tableFrames { writer.write(try knownPFN(frame, "a page of the P2M")) }
    return [MachineRecord(.pvP2MFrames, writer.bytes)]
  }

  func epochRecords() throws(CheckpointError) -> [MachineRecord] {
    guard let sharedInfo = try SharedInfoPage.record(state, hypervisor) else {
      throw unreadable("shared_info")
    }
    return [try TimeStampCounter.record(domain, hypervisor), sharedInfo]
      + (try processors(hasSuspended: true, knownPFN))
  }

  private func processors(hasSuspended: Bool, _ pfn: PVVCPU.Translation) throws(CheckpointError)
    -> [MachineRecord]
  {
    var records: [MachineRecord] = []
    for number in 0...state.lastVCPU {
      let vcpu = PVVCPU(
        number: number, domain: domain, hypervisor: hypervisor, layout: layout,
        hasSuspended: hasSuspended)
      records += try vcpu.records(pfn)
    }
    return records
  }
}

extension PVMemory {
  private static func state(
    _ domain: UInt32, _ hypervisor: Hypervisor
  ) throws(CheckpointError) -> DomainState {
    guard let state = try hypervisor.domain(domain), !state.isDying else { throw .gone(domain) }
    return state
  }

  private func type(_ pfn: PFN) -> UInt8 {
    pfn < limit ? types[Int(pfn)] : XenStream.typeNone
  }

  private func frame(_ pfn: PFN) -> UInt64? {
    pfn < limit && frames[Int(pfn)] != P2MTable.none ? frames[Int(pfn)] : nil
  }

  /// The PFN of a machine frame; nil if it is none of the guest's.
  private func pfn(ofFrame frame: UInt64) -> PFN? {
    guard let pfn = machineToPhysical[frame], pfn < limit, frames[Int(pfn)] == frame else {
      return nil
    }
    return pfn
  }

  private func knownPFN(_ frame: UInt64, _ what: String) throws(CheckpointError) -> PFN {
    guard let pfn = pfn(ofFrame: frame) else {
      throw CheckpointError(
        .damaged,
        "machine frame 0x\(String(frame, radix: 16)) of \(what) is not in the guest's P2M",
        file: "domain \(domain)")
    }
    return pfn
  }

  /// The types of all PFNs. Those without a machine frame of this domain have none, nor has one whose frame is
  /// another's: of PFNs that share a frame only one could be restored.
  private func pageTypes(_ frames: [UInt64]) throws(CheckpointError) -> [UInt8] {
    var types = [UInt8](repeating: XenStream.typeNone, count: frames.count)
    var pfns: [Int] = []
    var batch: [xen_pfn_t] = []
    pfns.reserveCapacity(ForeignPages.maximum)
    batch.reserveCapacity(ForeignPages.maximum)
    func ask() throws(CheckpointError) {
      if batch.isEmpty { return }
      guard
        unsafe xc_get_pfn_type_batch(hypervisor.control, domain, UInt32(batch.count), &batch) == 0
      else { throw hypervisor.failure("read the types of pages", domain) }
      for (pfn, answer) in zip(pfns, batch) {
        let type = UInt8(truncatingIfNeeded: answer >> 28 & 15)
        guard PageStatus.isValid(type: type) || type >= XenStream.typeBroken else {
          throw CheckpointError(
            .unsupported, "PFN 0x\(String(pfn, radix: 16)) has the unknown page type \(type)",
            file: "domain \(domain)")
        }
        guard machineToPhysical[frames[pfn]] != PFN(pfn) else {
          types[pfn] = type
          continue
        }
        if isExact, type != XenStream.typeNone { throw sharedFrame(PFN(pfn), frames[pfn]) }
      }
      pfns.removeAll(keepingCapacity: true)
      batch.removeAll(keepingCapacity: true)
    }
    for (pfn, frame) in frames.enumerated() where frame != P2MTable.none {
      pfns.append(pfn)
      batch.append(xen_pfn_t(frame))
      if batch.count == ForeignPages.maximum { try ask() }
    }
    try ask()
    return types
  }

  /// What is not as it was. When a page has left its machine frame, all page tables are not either: their
  /// entries name machine frames, and that one may be another PFN's now.
  private func changes(_ newFrames: [UInt64], _ newTypes: [UInt8]) -> PFNBitmap {
    let none = XenStream.typeNone
    var changed = PFNBitmap(limit: PFN(max(types.count, newTypes.count)))
    var hasMoved = false
    for pfn in 0..<max(types.count, newTypes.count) {
      let old = pfn < types.count ? types[pfn] : none
      let new = pfn < newTypes.count ? newTypes[pfn] : none
      let hasLeft = old != none && (new == none || frames[pfn] != newFrames[pfn])
      if old != new || hasLeft { changed.insert(PFN(pfn)) }
      if hasLeft { hasMoved = true }
    }
    if hasMoved {
      for (pfn, type) in newTypes.enumerated() where PageTable.level(of: type) != nil {
        changed.insert(PFN(pfn))
      }
    }
    return changed
  }

  /// The PFN of start_info, which a guest that suspends leaves in vCPU 0; nil if it does not.
  private func startInfo() throws(CheckpointError) -> PFN? {
    let vcpu = PVVCPU(number: 0, domain: domain, hypervisor: hypervisor, layout: layout)
    return pfn(ofFrame: try vcpu.startInfoFrame())
  }

  private func unreadable(_ what: String) -> CheckpointError {
    CheckpointError(.io, "cannot map \(what)", file: "domain \(domain)")
  }

  private func sharedFrame(_ pfn: PFN, _ frame: UInt64) -> CheckpointError {
    CheckpointError(
      .refused,
      "PFN 0x\(String(pfn, radix: 16)) has machine frame 0x\(String(frame, radix: 16)), which is PFN 0x\(String(machineToPhysical[frame] ?? 0, radix: 16))'s: the guest could not be restored",
      structure: "P2M", file: "domain \(domain)")
  }

  private func foreignEntry(
    _ bad: PageTable.BadEntry, _ pfn: PFN, _ level: Int
  ) -> CheckpointError {
    CheckpointError(
      .refused,
      "PFN 0x\(String(pfn, radix: 16)) is a page table whose entry \(bad.index), 0x\(String(bad.entry, radix: 16)), names no page of the guest: it has memory of another domain or of a device, which cannot be saved",
      structure: "page table of level \(level)", file: "domain \(domain)")
  }
}
#endif
